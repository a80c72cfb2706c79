import type { Canary, KubeObject } from '../../../src/kinds/index.ts'
import type { ApiServer } from '../../../src/model/apiserver/index.ts'
import type { GoldenCase } from './case.ts'

type Json = Record<string, unknown>

interface Workload {
  readonly replicas?: number
  readonly template: { readonly spec: { readonly containers: readonly { readonly image?: string }[] } }
}

/** The state that a trace shows after a tick (FORMAT.md section 3). */
export function stateAfter(api: ApiServer, golden: GoldenCase): Json {
  const canary = api.get('flagger.app', 'canaries', golden.namespace, golden.canary.metadata.name) as Canary | undefined
  const weights = storedWeights(api, golden)
  return {
    ...(canary === undefined ? { canary: 'absent' } : statusState(canary)),
    ...workloadState(api, golden),
    ...(weights === undefined || canary === undefined ? {} : { weights })
  }
}

function statusState(canary: Canary): Json {
  const { status } = canary
  if (status === undefined) return {}
  const { phase, canaryWeight, failedChecks, iterations, conditions = [] } = status
  const kept = conditions.map(({ type, status: value, reason, message }) => ({ type, status: value, reason, message }))
  return { phase, canaryWeight, failedChecks, iterations, conditions: kept }
}

function workloadState(api: ApiServer, golden: GoldenCase): Json {
  const { kind, name } = (golden.canary.spec as Canary['spec']).targetRef
  if (kind === 'Service') return {}
  const resource = kind === 'DaemonSet' ? 'daemonsets' : 'deployments'
  const state: Json = {}
  for (const [role, object] of [['target', name] as const, ['primary', `${name}-primary`] as const]) {
    const workload = api.get('apps', resource, golden.namespace, object)
    if (workload === undefined) continue
    const spec = workload.spec as Workload
    state[`${role}Image`] = spec.template.spec.containers[0]?.image
    if (kind === 'DaemonSet') {
      state[`${role}Scheduled`] = (workload.status as Json | undefined)?.['desiredNumberScheduled'] ?? 0
    } else {
      state[`${role}Replicas`] = spec.replicas
    }
  }
  return state
}

interface Backend {
  readonly service?: string
  readonly name?: string
  readonly destination?: { readonly host: string }
  readonly weight?: number | string
}

interface Route {
  readonly route?: readonly Backend[]
  readonly mirror?: { readonly host?: string }
}

interface Filter {
  readonly type: string
  readonly requestMirror?: { readonly backendRef: { readonly name: string } }
}

interface Rule {
  readonly backendRefs?: readonly Backend[]
  readonly filters?: readonly Filter[]
}

/** The weights that the mesh object holds; undefined where its form is not one of the recorded ones. */
export function storedWeights(api: ApiServer, golden: GoldenCase): Json | undefined {
  const spec = golden.canary.spec as Canary['spec']
  const apex = (spec as Partial<Canary['spec']>).service?.name ?? spec.targetRef.name
  const find = (group: string, resource: string, name: string): KubeObject | undefined =>
    api.get(group, resource, golden.namespace, name)
  const split = find('split.smi-spec.io', 'trafficsplits', apex)
  if (split !== undefined) return backendWeights((split.spec as { backends?: Backend[] }).backends ?? [], apex)
  const route = find('gateway.networking.k8s.io', 'httproutes', apex)
  if (route !== undefined) return routeWeights((route.spec as { rules?: Rule[] }).rules ?? [], apex)
  const service = find('networking.istio.io', 'virtualservices', apex)
  if (service !== undefined) return istioWeights(service.spec as { http?: Route[]; tcp?: Route[] }, apex)
  const isNginx = (golden.flags ?? []).some((flag) => flag.endsWith('mesh-provider=nginx'))
  const ingress = isNginx ? find('networking.k8s.io', 'ingresses', `${spec.ingressRef?.name ?? ''}-canary`) : undefined
  return ingress === undefined ? undefined : canaryAnnotations(ingress)
}

function backendWeights(backends: readonly Backend[], apex: string): Json | undefined {
  const weights: Json = {}
  for (const { service, name, destination, weight } of backends) {
    const host = service ?? name ?? destination?.host
    if (host === `${apex}-primary`) weights['primary'] = Number(weight ?? 0)
    if (host === `${apex}-canary`) weights['canary'] = Number(weight ?? 0)
  }
  return weights
}

function routeWeights(rules: readonly Rule[], apex: string): Json {
  const weighted = rules.findLast((rule) => rule.backendRefs?.length === 2)
  const isMirror = (filter: Filter): boolean => filter.requestMirror?.backendRef.name === `${apex}-canary`
  const mirrored = rules.some((rule) => rule.filters?.some(isMirror))
  return {
    ...backendWeights(weighted?.backendRefs ?? [], apex),
    rules: rules.length,
    ...(mirrored ? { mirrored } : {})
  }
}

function istioWeights(
  { http = [], tcp = [] }: { http?: readonly Route[]; tcp?: readonly Route[] },
  apex: string
): Json | undefined {
  const routes = [http, tcp].flatMap((list): readonly Route[] => (Array.isArray(list) ? list : []))
  const weighted = routes.findLast((route) =>
    route.route?.some((target) => target.destination?.host === `${apex}-canary`)
  )
  if (weighted === undefined) return undefined
  const mirrored = Boolean(weighted.mirror?.host)
  return { ...backendWeights(weighted.route ?? [], apex), ...(mirrored ? { mirrored } : {}) }
}

function canaryAnnotations(ingress: KubeObject): Json {
  const prefix = 'nginx.ingress.kubernetes.io/'
  const entries = Object.entries(ingress.metadata.annotations ?? {})
  return Object.fromEntries(
    entries
      .filter(([key]) => key.startsWith(`${prefix}canary`))
      .map(([key, value]) => [key.slice(prefix.length), value])
  )
}
