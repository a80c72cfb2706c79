import type { NodePath, SourceDocument } from './source.ts'
import { problemAt } from './source.ts'
import { suggest } from './suggestion.ts'
import type { Report } from './problem.ts'

/** Short names of the design with what the controller's `-mesh-provider` flag says for them today. */
const ALIASES: Readonly<Record<string, string>> = { smi: 'smi:v1alpha2', gatewayapi: 'gatewayapi:v1' }

/**
 * Providers whose routes the data plane follows.
 * @see fluxcd/flagger pkg/router/factory.go MeshRouter 1.44.0, which knows more
 */
const MODELLED: readonly string[] = [
  'linkerd',
  'smi',
  'smi:v1alpha1',
  'smi:v1alpha2',
  'smi:v1alpha3',
  'gatewayapi',
  'gatewayapi:v1',
  'gatewayapi:v1beta1',
  'kubernetes'
]

/**
 * The provider as the controller's flag has it; default `linkerd`.
 * One that is not modelled is reported: the controller would take Istio's router for it and wait for ever.
 */
export function resolveProvider(
  provider: string | undefined,
  place: { readonly source: SourceDocument; readonly path: NodePath },
  report: Report
): string {
  const name = provider ?? 'linkerd'
  const problem = providerProblem(name)
  if (problem !== undefined) report(problemAt(place.source, place.path, problem))
  return ALIASES[name] ?? name
}

/** What is wrong with a provider's name, or undefined. */
export function providerProblem(name: string): { readonly message: string; readonly fix: string } | undefined {
  if (MODELLED.includes(name)) return undefined
  const message = `the mesh provider "${name}" is not modelled`
  return { message, fix: suggest(name, MODELLED) ?? `modelled: ${MODELLED.join(', ')}` }
}
