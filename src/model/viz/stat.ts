import { bodyOf, LinkerdError, samplesOf, together, type VizAnswer, type VizAsk, type VizPlan } from './ask.ts'
import { countPods, isPendingOrRunning, type PodCount, podsOf, podStatus, type VizObject, type VizPod } from './pods.ts'
import { type Figure, resourceQueries, serviceQueries, splitQueries, type StatQueries } from './queries.ts'
import type { StatRequest } from './request.ts'
import { apiPath, type ResourceType } from './resource.ts'

/** Requests of a window and how long they took; latencies in whole milliseconds. */
export interface BasicStats {
  readonly success: number
  readonly failure: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

/** One row of statistics. */
export interface StatRow {
  readonly type: ResourceType
  readonly namespace: string
  readonly name: string
  readonly windowMs: number
  /** Absent for Services and TrafficSplits. */
  readonly pods?: PodCount
  /** Of pods only. */
  readonly status?: string
  /** Of TrafficSplits only: one row per leaf. */
  readonly split?: { readonly apex: string; readonly leaf: string; readonly weight: string }
  /** Absent where nothing was measured in the window. */
  readonly stats?: BasicStats
}

const FIGURES: readonly Figure[] = ['requests', 'p50', 'p95', 'p99']

/** Asks for the rows of requests, all at once. @throws LinkerdError */
export function* statPlan(requests: readonly StatRequest[]): VizPlan<readonly StatRow[]> {
  const rows = (yield* together(requests.map((request) => rowsOf(request)))).flat()
  if (rows.length === 0) yield* requireNamespaces(requests)
  return rows
}

function rowsOf(request: StatRequest): VizPlan<readonly StatRow[]> {
  if (request.resource.type === 'service') return serviceRows(request)
  return request.resource.type === 'trafficsplit' ? splitRows(request) : resourceRows(request)
}

/** Nothing was found: says so where the namespace is not there, which is likelier a slip than a wish. */
function* requireNamespaces(requests: readonly StatRequest[]): VizPlan<void> {
  const names = requests.flatMap(({ resource, outbound }) => [resource.namespace, outbound?.resource.namespace ?? ''])
  const paths = [...new Set(names)].filter((name) => name !== '').map((name) => apiPath('namespace', '', name))
  for (const answer of yield paths.map((path) => ({ ask: 'api', path }))) bodyOf(answer)
}

function* resourceRows(request: StatRequest): VizPlan<readonly StatRow[]> {
  const { resource, outbound, windowMs } = request
  const queries = resourceQueries(request)
  const between = BETWEEN[resource.type]
  const podPath = resource.type === 'pod' ? undefined : apiPath('pod', podNamespace(request))
  const others = [
    ...(podPath === undefined ? [] : [podPath]),
    ...(between === undefined ? [] : [apiPath(between, resource.namespace)])
  ].map((path): VizAsk => ({ ask: 'api', path }))
  const asks = [objectsAsk(request), ...others]
  const answers = yield [...asks, ...queryAsks(queries)]
  const objects = itemsOf(answers[0]) as readonly VizPod[]
  const pods = podPath === undefined ? objects : (itemsOf(answers[1]) as readonly VizPod[])
  const owned = between === undefined ? [] : itemsOf(answers[2])
  const stats = statsByKey(queries, answers.slice(asks.length))
  return objects
    .filter((object) => resource.type !== 'pod' || isPendingOrRunning(object))
    .map((object): StatRow & { readonly counted: BasicStats | undefined } => {
      const { name, namespace = '' } = object.metadata
      const own = podsUnder(resource.type, object, pods, owned)
      return {
        type: resource.type,
        namespace,
        name,
        windowMs,
        pods: countPods(own),
        ...(resource.type === 'pod' ? { status: podStatus(object) } : {}),
        counted: stats.get(keyOf(namespace, name))
      }
    })
    .filter((row) => outbound === undefined || row.counted !== undefined)
    .map(({ counted, ...row }) => withStats(row, counted))
}

/** What lies between a resource and its pods. */
const BETWEEN: Partial<Record<ResourceType, ResourceType>> = { deployment: 'replicaset', cronjob: 'job' }

function podNamespace({ resource }: StatRequest): string {
  return resource.type === 'namespace' ? resource.name : resource.namespace
}

function podsUnder(
  type: ResourceType,
  object: VizPod,
  pods: readonly VizPod[],
  between: readonly VizObject[]
): readonly VizPod[] {
  if (type === 'pod') return [object]
  if (type === 'namespace') return pods.filter((pod) => pod.metadata.namespace === object.metadata.name)
  return podsOf(object, pods, between)
}

/** Rows of Services come from the metrics alone; a Service nobody called has none. */
function* serviceRows(request: StatRequest): VizPlan<readonly StatRow[]> {
  const { resource, windowMs } = request
  const queries = serviceQueries(request)
  const stats = statsByKey(queries, yield queryAsks(queries))
  return [...stats].map(([key, counted]) => {
    const [namespace = '', name = ''] = key.split('/')
    return withStats(
      { type: 'service', namespace, name: resource.name === '' ? name : resource.name, windowMs },
      counted
    )
  })
}

interface TrafficSplit extends VizObject {
  readonly spec: {
    readonly service: string
    readonly backends: readonly { readonly service: string; readonly weight: number | string }[]
  }
}

/** A row per leaf of each TrafficSplit. @see linkerd2 stable-2.9.5 stat_summary.go trafficSplitResourceQuery */
function* splitRows(request: StatRequest): VizPlan<readonly StatRow[]> {
  const [found] = yield [objectsAsk(request)]
  const plans = (itemsOf(found) as readonly TrafficSplit[]).map((split) => leafRows(request, split))
  return (yield* together(plans)).flat()
}

function* leafRows(request: StatRequest, { metadata, spec }: TrafficSplit): VizPlan<readonly StatRow[]> {
  const { name, namespace = '' } = metadata
  const leaves = spec.backends.map((backend) => backend.service)
  const queries = splitQueries(request, namespace, leaves)
  const stats = statsByKey(queries, yield queryAsks(queries))
  return spec.backends.map(({ service, weight }) =>
    withStats(
      {
        type: 'trafficsplit',
        namespace,
        name,
        windowMs: request.windowMs,
        split: { apex: spec.service, leaf: service, weight: String(weight) }
      },
      stats.get(keyOf('', service))
    )
  )
}

function objectsAsk({ resource, selector }: StatRequest): VizAsk {
  const path = apiPath(resource.type, resource.namespace, resource.name)
  return { ask: 'api', path, ...(selector === undefined ? {} : { query: { labelSelector: selector } }) }
}

/** Objects of a list, or the one object; a kind that the API does not serve has none. */
function itemsOf(answer: VizAnswer | undefined): readonly VizObject[] {
  if (answer?.ok === false && answer.code === 404 && /could not find the requested resource/.test(answer.message)) {
    return []
  }
  const body = bodyOf(answer) as VizObject | { readonly items?: readonly VizObject[] | null } | undefined
  if (body === undefined) throw new LinkerdError('the Kubernetes API answered without a body')
  return 'metadata' in body && 'name' in body.metadata ? [body] : 'items' in body ? (body.items ?? []) : []
}

function queryAsks({ expressions }: StatQueries): readonly VizAsk[] {
  return FIGURES.map((figure) => ({ ask: 'query', expression: expressions[figure] }))
}

type Counting = { -readonly [Key in keyof BasicStats]: number }

/** Adds up series by `namespace/name`. Values are rounded as Linkerd rounds them. */
function statsByKey(
  queries: StatQueries,
  answers: readonly (VizAnswer | undefined)[]
): ReadonlyMap<string, BasicStats> {
  const found = new Map<string, Counting>()
  for (const [index, figure] of FIGURES.entries()) {
    for (const { labels, value } of samplesOf(answers[index])) {
      const namespace = queries.namespaceLabel === undefined ? '' : (labels[queries.namespaceLabel] ?? '')
      const key = keyOf(namespace, labels[queries.nameLabel] ?? '')
      const stats = found.get(key) ?? { success: 0, failure: 0, p50: 0, p95: 0, p99: 0 }
      found.set(key, stats)
      const rounded = Number.isFinite(value) ? Math.round(value) : 0
      if (figure !== 'requests') stats[figure] = rounded
      else if (labels['classification'] === 'success') stats.success += rounded
      else if (labels['classification'] === 'failure') stats.failure += rounded
    }
  }
  return found
}

function withStats(row: StatRow, counted: BasicStats | undefined): StatRow {
  return counted === undefined || counted.success + counted.failure === 0 ? row : { ...row, stats: counted }
}

function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`
}
