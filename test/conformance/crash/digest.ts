import type { KubeObject } from '../../../src/kinds/index.ts'
import type { ApiServer } from '../../../src/model/apiserver/index.ts'

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

/** States of the API as texts: equal texts are equal states. One for all worlds of a case. */
export class StateDigests {
  /** Random letters drawn so far. */
  readonly drawn: Set<string> = new Set()
  readonly #texts: string[] = []
  readonly #numbers = new Map<string, number>()
  readonly #known = new WeakMap<KubeObject, number>()

  /** The state as one short text: what an object says is written as a number, see {@link spelled}. */
  digest(api: ApiServer): string {
    let text = ''
    for (const [group, resource] of RESOURCES) {
      for (const object of api.list(group, resource)) {
        const { namespace = '', name } = object.metadata
        text += `${resource}/${namespace}/${name} #${this.#numberOf(object)}\n`
      }
    }
    return text
  }

  /** A digest, or a text with one inside, with what the objects say. */
  spelled(digest: string): string {
    return digest.replaceAll(/ #(\d+)$/gm, (_match, number: string) => ` ${this.#texts[Number(number)] ?? ''}`)
  }

  #numberOf(object: KubeObject): number {
    const known = this.#known.get(object)
    if (known !== undefined) return known
    const text = textOf(object, this.drawn)
    let number = this.#numbers.get(text)
    if (number === undefined) {
      number = this.#texts.push(text) - 1
      this.#numbers.set(text, number)
    }
    this.#known.set(object, number)
    return number
  }
}

/** Ten letters between other characters: what a session cookie is made of. */
const LETTERS = /\b[a-zA-Z]{10}\b/g

function textOf(object: KubeObject, drawn: ReadonlySet<string>): string {
  const text = JSON.stringify(reduced(object))
  return drawn.size === 0 ? text : text.replaceAll(LETTERS, (word) => (drawn.has(word) ? 'drawn' : word))
}

/** What counts of a value, its keys sorted. */
function reduced(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reduced)
  if (typeof value !== 'object' || value === null) return value
  const result: Record<string, unknown> = {}
  const map = value as Readonly<Record<string, unknown>>
  for (const key of Object.keys(map).sort()) {
    if (DROPPED.has(key)) continue
    result[key] = DRAWN.has(key) ? 'drawn' : reduced(map[key])
  }
  return isWorkloadCondition(result) ? { ...result, message: undefined } : result
}

/** Messages of workloads' conditions name ReplicaSets. */
function isWorkloadCondition({ type, message }: Record<string, unknown>): boolean {
  return (type === 'Progressing' || type === 'Available') && message !== undefined
}
