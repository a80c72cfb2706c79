import type { KubeObject } from '../../../src/kinds/index.ts'
import type { Pod, PodStart } from '../../../src/model/controllers/index.ts'
import {
  createInstantRuntime,
  workloadOf,
  type InstantRuntime,
  type PodRule
} from '../../../src/world/cluster/index.ts'

/** Rules, and which pods lost their readiness. */
export interface RuledPodsState {
  readonly rules: readonly PodRule[]
  readonly lost: readonly string[]
}

/** The instant runtime, able to go back to an earlier state. */
export class RuledPods implements InstantRuntime {
  readonly probes = 'skip'
  #inner: InstantRuntime
  #rules: readonly PodRule[]
  #lost = new Set<string>()

  constructor(rules: readonly PodRule[]) {
    this.#rules = rules
    this.#inner = createInstantRuntime({ rules })
  }

  save(): RuledPodsState {
    return { rules: this.#rules, lost: [...this.#lost] }
  }

  /** @param pods - the pods there are; ready ones keep their place among those a rule admits */
  load({ rules, lost }: RuledPodsState, pods: readonly KubeObject[]): void {
    this.#rules = rules
    this.#inner = createInstantRuntime({ rules })
    this.#lost = new Set(lost)
    const inState = pods.filter((pod) => this.#lost.has(pod.metadata.uid ?? ''))
    this.#inner.loseReadiness({}, inState)
    for (const pod of pods) if (isReady(pod as Pod)) this.#inner.mayBeReady?.(pod)
  }

  start(pod: KubeObject): PodStart {
    return this.#inner.start(pod)
  }

  stop(pod: KubeObject): void {
    this.#inner.stop(pod)
  }

  probe(pod: KubeObject, container: string, probe: object, done: (ok: boolean, detail: string) => void): void {
    this.#inner.probe(pod, container, probe, done)
  }

  shutdownMs(pod: KubeObject): number {
    return this.#inner.shutdownMs?.(pod) ?? 0
  }

  mayBeReady(pod: KubeObject): boolean {
    return this.#inner.mayBeReady?.(pod) ?? true
  }

  setRules(rules: readonly PodRule[]): void {
    this.#rules = rules
    this.#inner.setRules(rules)
  }

  loseReadiness(rule: Pick<PodRule, 'workload' | 'image'>, pods: readonly KubeObject[]): void {
    this.#inner.loseReadiness(rule, pods)
    for (const pod of pods) if (matches(rule, pod as Pod)) this.#lost.add(pod.metadata.uid ?? '')
  }
}

function matches({ workload, image }: Pick<PodRule, 'workload' | 'image'>, pod: Pod): boolean {
  if (workload !== undefined && workload !== workloadOf(pod)) return false
  return image === undefined || (pod.spec.containers[0]?.image ?? '').includes(image)
}

function isReady({ status }: Pod): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true
}
