import type { Canary, KubeObject } from '../../../src/kinds/index.ts'
import type { ApiServer } from '../../../src/model/apiserver/index.ts'
import { sortedJson } from '../golden/compare.ts'
import type { GoldenCase } from '../golden/case.ts'
import { storedWeights } from '../golden/state.ts'

/** What users meet: the weights, and which weighted workloads have no ready pod. */
export interface Traffic {
  readonly weights: string
  /** `primary`, `canary`: has weight and no ready pod; empty when all is well. */
  readonly dead: string
}

/** Weighted objects of routers whose form the recorded state does not show. */
const OTHER_WEIGHTED: readonly (readonly [string, string])[] = [
  ['projectcontour.io', 'httpproxies'],
  ['gateway.solo.io', 'routetables'],
  ['kuma.io', 'trafficroutes'],
  ['traefik.io', 'traefikservices'],
  ['networking.k8s.io', 'ingresses']
]

/** Looks at the mesh objects and the workloads behind them. */
export function trafficOf(api: ApiServer, golden: GoldenCase): Traffic {
  const weights = storedWeights(api, golden)
  if (weights === undefined) return { weights: otherWeights(api), dead: '' }
  const dead = (['primary', 'canary'] as const).filter(
    (role) => weightOf(weights, role) > 0 && isDead(api, golden, role)
  )
  return { weights: sortedJson(weights), dead: dead.join(' ') }
}

function weightOf(weights: Readonly<Record<string, unknown>>, role: 'primary' | 'canary'): number {
  if (weights['canary-weight'] === undefined) return Number(weights[role] ?? 0)
  const canary = weights['canary'] === 'true' ? Number(weights['canary-weight']) : 0
  return role === 'canary' ? canary : 100 - canary
}

function isDead(api: ApiServer, golden: GoldenCase, role: 'primary' | 'canary'): boolean {
  const { kind, name } = (golden.canary.spec as Canary['spec']).targetRef
  const resource = { Deployment: 'deployments', DaemonSet: 'daemonsets' }[kind]
  if (resource === undefined) return false
  const workload = api.get('apps', resource, golden.namespace, role === 'primary' ? `${name}-primary` : name)
  return workload === undefined || readyPods(workload) === 0
}

function readyPods({ status }: KubeObject): number {
  const { readyReplicas, numberReady } = (status ?? {}) as { readyReplicas?: number; numberReady?: number }
  return readyReplicas ?? numberReady ?? 0
}

function otherWeights(api: ApiServer): string {
  const found = OTHER_WEIGHTED.flatMap(([group, resource]) =>
    api.list(group, resource).map((object) => {
      const text = JSON.stringify([object.metadata.annotations ?? {}, object.spec])
      return `${resource}/${object.metadata.name} ${(text.match(/weight[^,}\]]*/gi) ?? []).join(' ')}`
    })
  )
  return found.join('; ')
}
