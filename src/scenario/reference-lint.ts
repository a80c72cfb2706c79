import type { KubeObject } from '../kinds/index.ts'
import type { Report } from './problem.ts'
import type { RawScenario } from './raw.ts'
import { type NodePath, problemAt, type SourceDocument } from './source.ts'
import { suggest } from './suggestion.ts'

/** Commands that may make objects the manifests do not hold; after them any name may be right. */
const MAKES_OBJECTS = /\b(apply|create|expose|replace)\b/

/** Namespaces whose Services are the mesh's own. */
const MESH_NAMESPACES: ReadonlySet<string> = new Set(['linkerd', 'linkerd-viz', 'kube-system', 'default'])

/** What the names of a scenario are checked against. */
export interface ReferenceFacts {
  readonly source: SourceDocument
  readonly manifests: readonly KubeObject[]
}

/**
 * Finds canaries that are waited for and Services that are loaded although nothing makes them: a run would wait for its
 * whole budget, or be judged on no request at all.
 */
export function lintReferences(spec: RawScenario['spec'], facts: ReferenceFacts, report: Report): void {
  if (makesObjects(spec.steps)) return
  const canaries = facts.manifests.filter((object) => object.kind === 'Canary').map(fullName)
  for (const part of ['steps', 'expect'] as const) {
    for (const { name, path } of canariesNamed(spec[part], ['spec', part])) {
      if (canaries.includes(name)) continue
      const fix = suggest(name, canaries) ?? 'no manifest holds a Canary'
      report(problemAt(facts.source, path, { message: `no Canary "${name}" is in the manifests`, fix }))
    }
  }
  lintLoads(spec, facts, report)
}

function lintLoads(spec: RawScenario['spec'], facts: ReferenceFacts, report: Report): void {
  const services = facts.manifests.flatMap(servicesOf)
  for (const [index, load] of (spec.load ?? []).entries()) {
    const service = serviceNamed(new URL(load.to).hostname, load.namespace ?? 'load')
    if (services.includes(service) || MESH_NAMESPACES.has(service.slice(service.indexOf('.') + 1))) continue
    const fix = suggest(service, services) ?? 'a load goes to a Service of the cluster'
    const message = `no Service "${service}" is in the manifests, and no Canary makes it`
    report(problemAt(facts.source, ['spec', 'load', index, 'to'], { message, fix }))
  }
}

/** `name.namespace` of a host as clients in `namespace` write it. */
function serviceNamed(host: string, namespace: string): string {
  const [name = '', own = namespace] = host.split('.')
  return `${name}.${own}`
}

/** Services an object is, or that the controller makes for it (flagger 1.44.0 pkg/router/kubernetes_default.go). */
function servicesOf(object: KubeObject): string[] {
  const namespace = object.metadata.namespace ?? 'default'
  if (object.kind === 'Service') return [fullName(object)]
  if (object.kind !== 'Canary') return []
  const { service, targetRef } = (object.spec ?? {}) as {
    readonly service?: { readonly name?: string }
    readonly targetRef?: { readonly name?: string }
  }
  const apex = service?.name ?? targetRef?.name ?? object.metadata.name
  return ['', '-canary', '-primary'].map((ending) => `${apex}${ending}.${namespace}`)
}

function fullName(object: KubeObject): string {
  return `${object.metadata.name}.${object.metadata.namespace ?? 'default'}`
}

function makesObjects(steps: RawScenario['spec']['steps']): boolean {
  return (steps ?? []).some(
    (step) => step.apply !== undefined || MAKES_OBJECTS.test(step.run ?? '') || makesObjects(step.do)
  )
}

/** Every `canary:` of steps and expectations; what stands in objects is the user's own. */
function canariesNamed(value: unknown, path: NodePath): { readonly name: string; readonly path: NodePath }[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => canariesNamed(item, [...path, index]))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    if (key === 'like') return []
    const own = [...path, key]
    return key === 'canary' && typeof inner === 'string' ? [{ name: inner, path: own }] : canariesNamed(inner, own)
  })
}
