import {
  MAX_REPLICAS,
  activeSets,
  actualReplicas,
  availableReplicas,
  byAge,
  historyExcess,
  isComplete,
  isRollingUpdate,
  maxSurge,
  maxUnavailable,
  revisionOf,
  wantedReplicas
} from './deployment-facts.ts'
import { newSetReplicas, syncRevision } from './deployment-revisions.ts'
import { syncRolloutStatus } from './deployment-status.ts'
import { type DeploymentSync, type SplitSets, allSets, scaleSet } from './deployment-sync.ts'
import { isPodFinished } from './pod-facts.ts'
import { type ClusterView, type Plan, type Requeue, write } from './plan.ts'
import { deleteRequest } from './requests.ts'
import type { Deployment, Pod, ReplicaSet } from './shapes.ts'

const RETRY: Requeue = { retry: true }

/** Replaces pods step by step within surge and unavailability. @see deployment/rolling.go rolloutRolling, v1.36 */
export function* rollOut(sync: DeploymentSync, sets: readonly ReplicaSet[], view: ClusterView): Plan<Requeue> {
  const split = yield* syncRevision(sync, sets, { create: true, view })
  if (split?.current === undefined) return RETRY
  const { current } = split
  const grown =
    current.spec.replicas === sync.deployment.spec.replicas ? undefined : yield* scaleNewSet(sync, split, current)
  if (grown !== undefined) return yield* syncRolloutStatus(sync, grown)
  const shrunk = wantedReplicas(split.old) === 0 ? undefined : yield* scaleOldSets(sync, split, current)
  if (shrunk !== undefined) return yield* syncRolloutStatus(sync, shrunk)
  if (mayCleanUp(sync, split.old)) yield* cleanUp(sync, split.old)
  return yield* syncRolloutStatus(sync, split)
}

function* scaleNewSet(sync: DeploymentSync, split: SplitSets, current: ReplicaSet): Plan<SplitSets | undefined> {
  const desired = sync.deployment.spec.replicas
  const have = current.spec.replicas
  const wanted = have > desired ? desired : newSetReplicas(sync.deployment, allSets(split), have)
  const scaled = yield* scaleSet(sync, current, wanted)
  return wanted === have ? undefined : { current: scaled, old: split.old }
}

function* scaleOldSets(sync: DeploymentSync, split: SplitSets, current: ReplicaSet): Plan<SplitSets | undefined> {
  const { deployment } = sync
  const active = activeSets(split.old)
  const minAvailable = deployment.spec.replicas - maxUnavailable(deployment)
  const newUnavailable = current.spec.replicas - (current.status?.availableReplicas ?? 0)
  const mayRemove = wantedReplicas(allSets(split)) - minAvailable - newUnavailable
  if (mayRemove <= 0) return undefined
  const changed = new Map<string, ReplicaSet>()
  const cleaned = yield* removeUnhealthy(sync, { active, limit: mayRemove, changed })
  const afterCleanup = active.map((set) => changed.get(set.metadata.name) ?? set)
  const removed = yield* removeHealthy(sync, { active: afterCleanup, current, minAvailable, changed })
  if (cleaned + removed === 0) return undefined
  return { current, old: split.old.map((set) => changed.get(set.metadata.name) ?? set) }
}

/** Old pods that are not available go first: removing them costs nothing. */
function* removeUnhealthy(
  sync: DeploymentSync,
  options: {
    readonly active: readonly ReplicaSet[]
    readonly limit: number
    readonly changed: Map<string, ReplicaSet>
  }
): Plan<number> {
  let total = 0
  for (const set of options.active.toSorted(byAge)) {
    if (total >= options.limit) break
    const unhealthy = set.spec.replicas - (set.status?.availableReplicas ?? 0)
    if (set.spec.replicas === 0 || unhealthy <= 0) continue
    const count = Math.min(options.limit - total, unhealthy)
    options.changed.set(set.metadata.name, yield* scaleSet(sync, set, set.spec.replicas - count))
    total += count
  }
  return total
}

function* removeHealthy(
  sync: DeploymentSync,
  options: {
    readonly active: readonly ReplicaSet[]
    readonly current: ReplicaSet
    readonly minAvailable: number
    readonly changed: Map<string, ReplicaSet>
  }
): Plan<number> {
  const { active, current, minAvailable, changed } = options
  const spare = availableReplicas([...active, current]) - minAvailable
  let total = 0
  for (const set of active.toSorted(byAge)) {
    if (total >= spare) break
    if (set.spec.replicas === 0) continue
    const count = Math.min(set.spec.replicas, spare - total)
    changed.set(set.metadata.name, yield* scaleSet(sync, set, set.spec.replicas - count))
    total += count
  }
  return total
}

/** Stops every old pod before the first new one starts. @see deployment/recreate.go rolloutRecreate, v1.36 */
export function* recreate(sync: DeploymentSync, sets: readonly ReplicaSet[], view: ClusterView): Plan<Requeue> {
  const split = yield* syncRevision(sync, sets, { create: false, view })
  if (split === undefined) return RETRY
  const old: ReplicaSet[] = []
  for (const set of split.old) old.push(set.spec.replicas === 0 ? set : yield* scaleSet(sync, set, 0))
  if (activeSets(split.old).length > 0) return yield* syncRolloutStatus(sync, { ...split, old })
  if (oldPodsRun(split, view)) return yield* syncRolloutStatus(sync, split)
  const ready = split.current === undefined ? yield* syncRevision(sync, sets, { create: true, view }) : split
  if (ready?.current === undefined) return RETRY
  const current = yield* scaleSet(sync, ready.current, sync.deployment.spec.replicas)
  if (mayCleanUp(sync, ready.old)) yield* cleanUp(sync, ready.old)
  return yield* syncRolloutStatus(sync, { ...ready, current })
}

function oldPodsRun(split: SplitSets, view: ClusterView): boolean {
  if (actualReplicas(split.old) > 0) return true
  return split.old.some((set) =>
    view.controlledBy('', 'pods', set.metadata.uid ?? '').some((pod) => !isPodFinished(pod as Pod))
  )
}

/** Spreads a new size over the sets of a rollout under way. @see deployment/sync.go scale, v1.36 */
export function* scale(sync: DeploymentSync, split: SplitSets): Plan<SplitSets> {
  const { deployment } = sync
  const single = activeOrLatest(split)
  if (single !== undefined) {
    if (single.spec.replicas === deployment.spec.replicas) return split
    return replaceSet(split, yield* scaleSet(sync, single, deployment.spec.replicas))
  }
  const { current } = split
  if (current !== undefined && isSaturated(deployment, current)) {
    let result = split
    for (const set of activeSets(split.old)) result = replaceSet(result, yield* scaleSet(sync, set, 0))
    return result
  }
  if (!isRollingUpdate(deployment)) return split
  return yield* scaleProportionally(sync, split)
}

function replaceSet(split: SplitSets, set: ReplicaSet): SplitSets {
  const { name } = set.metadata
  if (split.current?.metadata.name === name) return { ...split, current: set }
  return { ...split, old: split.old.map((each) => (each.metadata.name === name ? set : each)) }
}

/** The only set with pods, or the latest one when none has any; undefined when several have. */
function activeOrLatest(split: SplitSets): ReplicaSet | undefined {
  const active = activeSets(allSets(split))
  if (active.length > 1) return undefined
  return active[0] ?? split.current ?? split.old.toSorted(byAge).at(-1)
}

function isSaturated(deployment: Deployment, set: ReplicaSet): boolean {
  const desired = deployment.spec.replicas
  return (
    set.spec.replicas === desired &&
    set.metadata.annotations?.['deployment.kubernetes.io/desired-replicas'] === String(desired) &&
    (set.status?.availableReplicas ?? 0) === desired
  )
}

function* scaleProportionally(sync: DeploymentSync, split: SplitSets): Plan<SplitSets> {
  const { deployment } = sync
  const active = activeSets(allSets(split))
  const allowed = deployment.spec.replicas > 0 ? deployment.spec.replicas + maxSurge(deployment) : 0
  const toAdd = allowed - wantedReplicas(active)
  const newestFirst = toAdd > 0 ? -1 : 1
  const ordered = active.toSorted((a, b) => b.spec.replicas - a.spec.replicas || newestFirst * byAge(a, b))
  const sizes: number[] = []
  let added = 0
  for (const set of ordered) {
    const share = toAdd === 0 ? 0 : proportionOf(deployment, set, { toAdd, added })
    sizes.push(set.spec.replicas + share)
    added += share
  }
  let result = split
  for (const [index, set] of ordered.entries()) {
    // The biggest set takes what rounding left over.
    const leftover = index === 0 ? toAdd - added : 0
    const size = Math.max(0, (sizes[index] ?? 0) + leftover)
    result = replaceSet(result, yield* scaleSet(sync, set, size))
  }
  return result
}

function proportionOf(
  deployment: Deployment,
  set: ReplicaSet,
  amounts: { readonly toAdd: number; readonly added: number }
): number {
  const { toAdd, added } = amounts
  if (set.spec.replicas === 0 || toAdd === added) return 0
  const fraction = fractionOf(deployment, set)
  const rest = toAdd - added
  return toAdd > 0 ? Math.min(fraction, rest) : Math.max(fraction, rest)
}

function fractionOf(deployment: Deployment, set: ReplicaSet): number {
  if (deployment.spec.replicas === 0) return -set.spec.replicas
  const annotated = Number.parseInt(set.metadata.annotations?.[MAX_REPLICAS] ?? '0', 10)
  const before = annotated > 0 ? annotated : (deployment.status?.replicas ?? 0)
  if (before === 0) return 0
  const size = (set.spec.replicas * (deployment.spec.replicas + maxSurge(deployment))) / before
  return Math.trunc(size + 0.5) - set.spec.replicas
}

/** Whether the rollout is complete and has more old sets than its history keeps. */
function mayCleanUp(sync: DeploymentSync, old: readonly ReplicaSet[]): boolean {
  const { deployment } = sync
  return historyExcess(deployment, old) > 0 && isComplete(deployment, deployment.status ?? {})
}

/** Deletes empty old sets beyond the history limit, oldest revision first. */
export function* cleanUp(sync: DeploymentSync, old: readonly ReplicaSet[]): Plan<void> {
  const excess = historyExcess(sync.deployment, old)
  if (excess <= 0) return
  const alive = old.filter((set) => set.metadata.deletionTimestamp === undefined)
  for (const set of alive.toSorted((a, b) => revisionOf(a) - revisionOf(b)).slice(0, excess)) {
    const unseen = (set.metadata.generation ?? 0) > (set.status?.observedGeneration ?? 0)
    if ((set.status?.replicas ?? 0) !== 0 || set.spec.replicas !== 0 || unseen) continue
    yield write(deleteRequest(set, 'replicasets', { propagation: 'Background' }))
  }
}
