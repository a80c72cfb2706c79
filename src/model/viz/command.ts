import { bodyOf, samplesOf, type VizPlan } from './ask.ts'
import { buildStatRequests, type StatFlags } from './request.ts'
import { apiPath } from './resource.ts'
import { statPlan } from './stat.ts'
import { statText } from './table.ts'
import type { LinkerdWords } from './words.ts'

/** What a command prints. */
export interface LinkerdOutput {
  readonly stdout: string
  readonly stderr: string
}

/**
 * A command that asks, prints and ends.
 * @param defaultNamespace - that of the kubeconfig's context
 * @throws LinkerdError
 */
export function* linkerdPlan(
  given: Extract<LinkerdWords, { readonly command: 'stat' | 'check' }>,
  defaultNamespace: string
): VizPlan<LinkerdOutput> {
  return given.command === 'stat' ? yield* statCommand(given.flags, defaultNamespace) : yield* checkPlan(given.pre)
}

/** The checks that mean something here, in the words of the real ones. @see linkerd2 edge-26.8.3 pkg/healthcheck */
function* checkPlan(pre: boolean): VizPlan<LinkerdOutput> {
  const api = section('kubernetes-api', ['can initialize the client', 'can query the Kubernetes API'])
  const [found] = yield [{ ask: 'api', path: apiPath('namespace', '', 'linkerd') }]
  bodyOf(found)
  const parts = [api]
  if (!pre) {
    const [answered] = yield [{ ask: 'query', expression: 'vector(1)' }]
    samplesOf(answered)
    parts.push(section('linkerd-viz', ['prometheus is installed and configured correctly']))
  }
  return { stdout: `${parts.join('\n')}\nStatus check results are √\n`, stderr: '' }
}

function section(name: string, checks: readonly string[]): string {
  return `${name}\n${'-'.repeat(name.length)}\n${checks.map((check) => `√ ${check}\n`).join('')}`
}

/**
 * `linkerd stat`: asks and prints.
 * @param defaultNamespace - that of the kubeconfig's context
 * @throws LinkerdError
 */
function* statCommand(flags: StatFlags, defaultNamespace: string): VizPlan<LinkerdOutput> {
  const rows = yield* statPlan(buildStatRequests(flags, defaultNamespace))
  const stdout = statText(rows, {
    output: flags.output as 'table' | 'wide' | 'json',
    allNamespaces: flags.allNamespaces,
    // What a client measured counts whether or not the other side is in the mesh.
    unmeshed: flags.unmeshed || flags.from !== undefined
  })
  return { stdout, stderr: stdout === '' ? 'No traffic found.\n' : '' }
}
