import type { KubeObject } from '../kinds/index.ts'
import type { ManifestList, SourcedObject } from './manifests.ts'
import { type NodePath, problemAt, problemInText } from './source.ts'
import { suggest } from './suggestion.ts'
import { objectLabel as name } from './manifest-place.ts'
import type { Report } from './problem.ts'
import { promqlProblem } from './promql-template.ts'

/** What the manifests of a scenario are checked against. */
export interface ManifestFacts {
  /** Images the scenario declares. */
  readonly images: readonly string[]
  /** The scenario, for advice that names it. */
  readonly scenario: ManifestList
}

/** Finds what would go wrong later and far from its cause: unknown images, canaries without a port, broken queries. */
export function lintManifests(objects: readonly SourcedObject[], facts: ManifestFacts, report: Report): void {
  for (const entry of objects) {
    lintImages(entry, facts, report)
    if (entry.object.kind === 'Canary') lintCanary(entry, report)
    if (entry.object.kind === 'MetricTemplate') lintQuery(entry, ['spec', 'query'], report)
  }
}

/** Images of an object's pod template, with their paths. */
export function imagesOf(object: KubeObject): { image: string; path: NodePath }[] {
  const base: NodePath = object.kind === 'Pod' ? ['spec'] : ['spec', 'template', 'spec']
  const podSpec = dig(object, base)
  return ['initContainers', 'containers'].flatMap((list) => {
    const containers = dig(podSpec, [list])
    if (!Array.isArray(containers)) return []
    return containers.flatMap((container, index) => {
      const image = dig(container, ['image'])
      return typeof image === 'string' ? [{ image, path: [...base, list, index, 'image'] }] : []
    })
  })
}

function lintImages(entry: SourcedObject, facts: ManifestFacts, report: Report): void {
  for (const { image, path } of imagesOf(entry.object)) {
    if (facts.images.includes(image)) continue
    report(
      problemAt(entry.source, [...entry.path, ...path], {
        message: `image "${image}" of ${name(entry.object)} has no entry in spec.images of ${facts.scenario.source.file}`,
        fix: `add "${image}: { app: … }" there, so that the twin knows how it behaves (${suggest(image, facts.images) ?? 'none declared yet'})`,
        code: 'TWIN_IMAGE_UNKNOWN'
      })
    )
  }
}

function lintCanary(entry: SourcedObject, report: Report): void {
  const spec = dig(entry.object, ['spec'])
  if (typeof dig(spec, ['service', 'port']) !== 'number') {
    report(
      problemAt(entry.source, [...entry.path, 'spec', 'service'], {
        message: `${name(entry.object)} has no spec.service.port`,
        fix: 'add the port its Service listens on, e.g. "service: { port: 9898 }"'
      })
    )
  }
  for (const key of ['analysis', 'canaryAnalysis']) {
    const metrics = dig(spec, [key, 'metrics'])
    if (!Array.isArray(metrics)) continue
    for (const index of metrics.keys()) lintQuery(entry, ['spec', key, 'metrics', index, 'query'], report)
  }
}

function lintQuery(entry: SourcedObject, path: NodePath, report: Report): void {
  const query = dig(entry.object, path)
  if (typeof query !== 'string') return
  const provider = dig(entry.object, ['spec', 'provider', 'type'])
  if (typeof provider === 'string' && provider !== 'prometheus') return
  const problem = promqlProblem(query)
  if (problem === undefined) return
  const { message, line, column, fix } = problem
  const where = `line ${line}, column ${column} of the query`
  report(
    problemInText(entry.source, [...entry.path, ...path], {
      message: `invalid PromQL in ${name(entry.object)}: ${message} (${where})`,
      fix,
      line,
      column
    })
  )
}

function dig(value: unknown, path: NodePath): unknown {
  let current = value
  for (const key of path) {
    if (typeof current !== 'object' || current === null) return undefined
    current = (current as Readonly<Record<string | number, unknown>>)[key]
  }
  return current
}
