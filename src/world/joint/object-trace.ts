import type { ApiChange, KubeObject } from '../../kinds/index.ts'
import type { TraceBody } from '../../trace/index.ts'

interface PodLike extends KubeObject {
  readonly spec?: { readonly containers?: readonly { readonly image?: string }[] }
  readonly status?: {
    readonly phase?: string
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
    readonly containerStatuses?: readonly {
      readonly state?: {
        readonly waiting?: { readonly reason?: string }
        readonly terminated?: { readonly reason?: string }
      }
    }[]
  }
}

interface CanaryLike extends KubeObject {
  readonly status?: { readonly phase?: string }
}

/** Reads the tick a canary is in. */
export type TickOf = (canary: string) => number

/** What a change of a stored object means for the trace: pods' states, canaries' phases, weights of mesh objects. */
export function traceOfChange(change: ApiChange, tickOf: TickOf): TraceBody | undefined {
  if (change.group === '' && change.resource === 'pods') return tracePod(change)
  if (change.group === 'flagger.app' && change.resource === 'canaries') return tracePhase(change, tickOf)
  return traceWeight(change, tickOf)
}

function tracePod(change: ApiChange): TraceBody | undefined {
  const pod = change.object as PodLike
  const state = change.type === 'DELETED' ? 'Deleted' : podState(pod)
  if (change.previous !== undefined && change.type === 'MODIFIED' && podState(change.previous as PodLike) === state) {
    return undefined
  }
  const image = pod.spec?.containers?.[0]?.image ?? ''
  return { kind: 'pod', namespace: pod.metadata.namespace ?? '', pod: pod.metadata.name, image, state }
}

/** One word for a pod's state, as kubectl's STATUS column, with `Ready` told apart from `Running`. */
export function podState(pod: PodLike): string {
  if (pod.metadata.deletionTimestamp !== undefined) return 'Terminating'
  for (const container of pod.status?.containerStatuses ?? []) {
    const reason = container.state?.waiting?.reason ?? container.state?.terminated?.reason
    if (reason !== undefined) return reason
  }
  for (const { type, status } of pod.status?.conditions ?? []) if (type === 'Ready' && status === 'True') return 'Ready'
  return pod.status?.phase ?? 'Pending'
}

function tracePhase(change: ApiChange, tickOf: TickOf): TraceBody | undefined {
  const canary = `${change.object.metadata.name}.${change.object.metadata.namespace ?? ''}`
  const from = (change.previous as CanaryLike | undefined)?.status?.phase ?? ''
  const to = (change.object as CanaryLike).status?.phase ?? ''
  if (change.type === 'DELETED' || from === to) return undefined
  return { kind: 'phase', canary, tick: tickOf(canary), from, to }
}

interface Weights {
  readonly primaryPercent: number
  readonly canaryPercent: number
  readonly mirrored: boolean
}

function traceWeight(change: ApiChange, tickOf: TickOf): TraceBody | undefined {
  if (change.type === 'DELETED') return undefined
  const weights = weightsOf(change)
  if (weights === undefined) return undefined
  const owner = change.object.metadata.ownerReferences?.find((one) => one.kind === 'Canary')
  if (owner === undefined) return undefined
  const before = change.previous === undefined ? undefined : weightsOf({ ...change, object: change.previous })
  if (before !== undefined && before.canaryPercent === weights.canaryPercent && before.mirrored === weights.mirrored) {
    return undefined
  }
  const canary = `${owner.name}.${change.object.metadata.namespace ?? ''}`
  return { kind: 'weight', canary, tick: tickOf(canary), ...weights }
}

interface RouteFilter {
  readonly type?: string
}

interface RouteBackend {
  readonly name?: string
  readonly weight?: number
}

/** Weights of a TrafficSplit or an HTTPRoute (first rule that has two backends or one). */
function weightsOf(change: ApiChange): Weights | undefined {
  const spec = change.object.spec as Readonly<Record<string, unknown>> | undefined
  if (change.group === 'split.smi-spec.io' && change.resource === 'trafficsplits') {
    const backends = (spec?.['backends'] ?? []) as readonly {
      readonly service?: string
      readonly weight?: number | string
    }[]
    return share(
      backends.map((one) => ({ name: one.service ?? '', weight: splitWeight(one.weight ?? 0) })),
      false
    )
  }
  if (change.group === 'gateway.networking.k8s.io' && change.resource === 'httproutes') {
    const rules = (spec?.['rules'] ?? []) as readonly {
      readonly backendRefs?: readonly RouteBackend[]
      readonly filters?: readonly RouteFilter[]
    }[]
    const rule = rules.find((one) => (one.backendRefs?.length ?? 0) > 1) ?? rules[0]
    const backends = (rule?.backendRefs ?? []).map((one) => ({ name: one.name ?? '', weight: one.weight ?? 1 }))
    return share(backends, rule?.filters?.some((filter) => filter.type === 'RequestMirror') === true)
  }
  return undefined
}

/** Linkerd's first version of the API writes weights as quantities, `900m`. */
function splitWeight(weight: number | string): number {
  return typeof weight === 'number' ? weight : Number(weight.endsWith('m') ? weight.slice(0, -1) : weight)
}

function share(
  backends: readonly { readonly name: string; readonly weight: number }[],
  mirrored: boolean
): Weights | undefined {
  const total = backends.reduce((sum, backend) => sum + backend.weight, 0)
  const canary = backends.find((backend) => backend.name.endsWith('-canary'))
  const primary = backends.find((backend) => backend.name.endsWith('-primary'))
  if (total <= 0 || (canary === undefined && primary === undefined)) return undefined
  const percent = (weight: number): number => Math.round((weight / total) * 1000) / 10
  return { primaryPercent: percent(primary?.weight ?? 0), canaryPercent: percent(canary?.weight ?? 0), mirrored }
}
