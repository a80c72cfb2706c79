import type { KubeObject } from '../../kinds/index.ts'
import { type Pod, type PodRuntime, type PodStart, controllerOf } from '../../model/controllers/index.ts'

/** A rule about pods' readiness; the first one that matches a pod counts. */
export interface PodRule {
  /** Name of the Deployment or DaemonSet; absent: any. */
  readonly workload?: string
  /** Part of the first container's image; absent: any. */
  readonly image?: string
  /** Never ready while the rule is there. */
  readonly ready?: 'hold'
  /** At most that many pods of one workload and image become ready. */
  readonly readyCount?: number
}

/** Settings of an instant runtime; all optional. */
export interface InstantRuntimeOptions {
  /** Time until containers run; default 0. */
  readonly startupMs?: number
  /** Time until processes end after SIGTERM; default 0. */
  readonly shutdownMs?: number
  readonly rules?: readonly PodRule[]
  /** A pull error for images that do not exist; default: images of `registry.invalid`. */
  readonly imageError?: (image: string) => string | undefined
}

/** A runtime without processes: pods start after a declared time and every probe succeeds. */
export interface InstantRuntime extends PodRuntime {
  /** Replaces all rules. Follow with `cluster.refreshPods()`. */
  setRules(rules: readonly PodRule[]): void
  /** Running pods that match lose their readiness for good. Follow with `cluster.refreshPods()`. */
  loseReadiness(rule: Pick<PodRule, 'workload' | 'image'>, pods: readonly KubeObject[]): void
}

/** Makes a runtime for golden traces and the virtual world. */
export function createInstantRuntime(options: InstantRuntimeOptions = {}): InstantRuntime {
  return new InstantPods(options)
}

class InstantPods implements InstantRuntime {
  readonly probes = 'skip'
  readonly #options: InstantRuntimeOptions
  #rules: readonly PodRule[]
  readonly #lost = new Set<string>()
  /** Uids of admitted pods per workload and image under a `readyCount` rule. */
  readonly #admitted = new Map<string, Set<string>>()

  constructor(options: InstantRuntimeOptions) {
    this.#options = options
    this.#rules = options.rules ?? []
  }

  start(pod: KubeObject): PodStart {
    for (const container of (pod as Pod).spec.containers) {
      const imageError = (this.#options.imageError ?? missingImage)(container.image)
      if (imageError !== undefined) return { imageError, container: container.name }
    }
    const startupMs = this.#options.startupMs ?? 0
    const exitCode = commandExit(pod as Pod)
    return exitCode === undefined ? { startupMs } : { startupMs, exit: { afterMs: 0, exitCode } }
  }

  stop(pod: KubeObject): void {
    const { uid = '' } = pod.metadata
    this.#lost.delete(uid)
    for (const admitted of this.#admitted.values()) admitted.delete(uid)
  }

  probe(_pod: KubeObject, _container: string, _probe: object, done: (ok: boolean, detail: string) => void): void {
    done(true, '')
  }

  shutdownMs(): number {
    return this.#options.shutdownMs ?? 0
  }

  mayBeReady(pod: KubeObject): boolean {
    const { uid = '' } = pod.metadata
    if (this.#lost.has(uid)) return false
    const rule = this.#rules.find((each) => matches(each, pod as Pod))
    if (rule?.ready === 'hold') return false
    return rule?.readyCount === undefined || this.#admit(pod as Pod, rule.readyCount)
  }

  setRules(rules: readonly PodRule[]): void {
    this.#rules = rules
  }

  loseReadiness(rule: Pick<PodRule, 'workload' | 'image'>, pods: readonly KubeObject[]): void {
    for (const pod of pods) if (matches(rule, pod as Pod)) this.#lost.add(pod.metadata.uid ?? '')
  }

  #admit(pod: Pod, limit: number): boolean {
    const { uid = '' } = pod.metadata
    const key = `${pod.metadata.namespace ?? ''}/${workloadOf(pod) ?? ''}/${pod.spec.containers[0]?.image ?? ''}`
    const admitted = this.#admitted.get(key) ?? new Set<string>()
    this.#admitted.set(key, admitted)
    if (admitted.has(uid)) return true
    if (admitted.size >= limit) return false
    admitted.add(uid)
    return true
  }
}

function matches(rule: Pick<PodRule, 'workload' | 'image'>, pod: Pod): boolean {
  if (rule.workload !== undefined && rule.workload !== workloadOf(pod)) return false
  return rule.image === undefined || (pod.spec.containers[0]?.image ?? '').includes(rule.image)
}

/** Name of the Deployment or DaemonSet a pod belongs to. */
export function workloadOf(pod: KubeObject): string | undefined {
  const owner = controllerOf(pod)
  if (owner?.kind !== 'ReplicaSet') return owner?.name
  const hash = pod.metadata.labels?.['pod-template-hash']
  return hash === undefined || !owner.name.endsWith(`-${hash}`) ? owner.name : owner.name.slice(0, -hash.length - 1)
}

function missingImage(image: string): string | undefined {
  return image.startsWith('registry.invalid/') ? 'dial tcp: lookup registry.invalid: no such host' : undefined
}

/** In pods that end, the commands `true` and `false` end at once; everything else runs for ever. */
function commandExit(pod: Pod): number | undefined {
  if ((pod.spec.restartPolicy ?? 'Always') === 'Always') return undefined
  const [container] = pod.spec.containers
  const command = [...(container?.command ?? []), ...(container?.args ?? [])].join(' ')
  return command === 'true' ? 0 : command === 'false' ? 1 : undefined
}
