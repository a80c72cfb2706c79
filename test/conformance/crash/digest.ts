import type { KubeObject } from '../../../src/kinds/index.ts'
import type { ApiServer } from '../../../src/model/apiserver/index.ts'
import { sortedJson } from '../golden/compare.ts'

/** Everything that a controller writes or decides by, and what users meet. */
const RESOURCES: readonly (readonly [string, string])[] = [
  ['flagger.app', 'canaries'],
  ['apps', 'deployments'],
  ['apps', 'daemonsets'],
  ['', 'services'],
  ['', 'configmaps'],
  ['', 'secrets'],
  ['autoscaling', 'horizontalpodautoscalers'],
  ['keda.sh', 'scaledobjects'],
  ['split.smi-spec.io', 'trafficsplits'],
  ['gateway.networking.k8s.io', 'httproutes'],
  ['networking.istio.io', 'virtualservices'],
  ['networking.istio.io', 'destinationrules'],
  ['networking.k8s.io', 'ingresses'],
  ['projectcontour.io', 'httpproxies'],
  ['gateway.solo.io', 'routetables'],
  ['gloo.solo.io', 'upstreams'],
  ['kuma.io', 'trafficroutes'],
  ['traefik.io', 'traefikservices']
]

/** Fields that count time, writes or chance and say nothing about the state. */
const DROPPED = new Set([
  'resourceVersion',
  'uid',
  'generation',
  'observedGeneration',
  'creationTimestamp',
  'managedFields',
  'lastTransitionTime',
  'lastUpdateTime',
  'clusterIP',
  'clusterIPs',
  'deployment.kubernetes.io/revision',
  'collisionCount'
])
/** Fields whose values are drawn anew for each object. */
const DRAWN = new Set(['flagger-id', 'deletionTimestamp', 'deprecated.daemonset.template.generation'])
const OBJECTS = new WeakMap<KubeObject, string>()

/** State of the API as text by object: equal texts are equal states. @param drawn - random letters drawn so far */
export function objectDigests(api: ApiServer, drawn: ReadonlySet<string>): Map<string, string> {
  const digests = new Map<string, string>()
  for (const [group, resource] of RESOURCES) {
    for (const object of api.list(group, resource)) {
      const { namespace = '', name } = object.metadata
      digests.set(`${resource}/${namespace}/${name}`, digestOf(object, drawn))
    }
  }
  return digests
}

/** The whole state as one text. */
export function apiDigest(api: ApiServer, drawn: ReadonlySet<string>): string {
  return [...objectDigests(api, drawn)].map(([key, text]) => `${key} ${text}`).join('\n')
}

/** Ten letters between other characters: what a session cookie is made of. */
const LETTERS = /\b[a-zA-Z]{10}\b/g

function digestOf(object: KubeObject, drawn: ReadonlySet<string>): string {
  const known = OBJECTS.get(object)
  if (known !== undefined) return known
  const digest = sortedJson(reduced(object)).replaceAll(LETTERS, (word) => (drawn.has(word) ? 'drawn' : word))
  OBJECTS.set(object, digest)
  return digest
}

function reduced(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reduced)
  if (typeof value !== 'object' || value === null) return value
  const result: Record<string, unknown> = {}
  for (const [key, entry] of Object.entries(value)) {
    if (DROPPED.has(key)) continue
    result[key] = DRAWN.has(key) ? 'drawn' : reduced(entry)
  }
  return isWorkloadCondition(result) ? { ...result, message: undefined } : result
}

/** Messages of workloads' conditions name ReplicaSets. */
function isWorkloadCondition({ type, message }: Record<string, unknown>): boolean {
  return (type === 'Progressing' || type === 'Available') && message !== undefined
}
