import { formatTimestamp } from '../../lib/time/index.ts'
import type { Canary, CanaryPhase, CanaryStatus } from '../../kinds/index.ts'
import { decodeCanary } from './decoding.ts'
import { now, type Plan } from './effects.ts'
import { StepFailed, wrapped } from './failure.ts'
import { BACKOFF, getObject, RESOURCES, retryOnConflict, updateObject, updateStatus, type Draft } from './objects.ts'
import { conditionsFor } from './phases.ts'
import type { Quirks } from './quirks.ts'
import { fullName, namespaceOf, statusOf } from './spec.ts'

/** What a SyncStatus takes over; counters that are missing become 0. */
export interface SyncedStatus {
  readonly phase: CanaryPhase
  readonly canaryWeight?: number
  readonly failedChecks?: number
  readonly iterations?: number
}

/** The revision of a target: hash of its spec and checksums of its configs (absent where nothing is tracked). */
export interface Revision {
  readonly hash: string
  readonly configs: Record<string, string> | undefined
}

/** Writes phase, counters, applied revision and condition. */
export function syncStatus(canary: Canary, synced: SyncedStatus, revision: Revision): Plan<void> {
  return write(canary, (current, timestamp) => {
    const conditions = conditionsFor(current, synced.phase, timestamp)
    return {
      ...statusOf(current),
      phase: synced.phase,
      canaryWeight: synced.canaryWeight ?? 0,
      failedChecks: synced.failedChecks ?? 0,
      iterations: synced.iterations ?? 0,
      lastAppliedSpec: revision.hash,
      ...(synced.phase === 'Initialized' ? { lastPromotedSpec: revision.hash } : {}),
      ...(revision.configs === undefined ? {} : { trackedConfigs: revision.configs }),
      ...(conditions === undefined ? {} : { conditions })
    }
  })
}

/** Writes the phase, and what a phase resets with it. */
export function setStatusPhase(canary: Canary, phase: CanaryPhase, quirks: Quirks): Plan<void> {
  return write(canary, (current, timestamp) => {
    const conditions = conditionsFor(current, phase, timestamp)
    return {
      ...statusOf(current),
      phase,
      ...countersAt(current, phase, quirks),
      ...promotedSpecAt(current, phase),
      ...(conditions === undefined ? {} : { conditions })
    }
  })
}

/** Writes one counter. */
export function setStatusCounter(
  canary: Canary,
  counter: 'failedChecks' | 'canaryWeight' | 'iterations',
  value: number
): Plan<void> {
  return write(canary, (current) => ({ ...statusOf(current), [counter]: value }))
}

/**
 * Marks a new canary; run by the informer worker. A canary that already says so is left as it is.
 * @see fluxcd/flagger pkg/controller/scheduler.go setPhaseInitializing 1.44.0
 */
export function setPhaseInitializing(canary: Canary): Plan<void> {
  return wrapped('failed after retries: ', rewriting(canary, putInitializing))
}

function* putInitializing(canary: Canary): Plan<void> {
  const timestamp = formatTimestamp(yield* now())
  const conditions = conditionsFor(canary, 'Initializing', timestamp)
  if (conditions === undefined) return
  const status = { ...statusOf(canary), phase: 'Initializing', conditions, lastTransitionTime: timestamp }
  yield* updateStatus(RESOURCES.canaries, namespaceOf(canary), draftWith(canary, status as CanaryStatus))
}

/**
 * Runs an attempt with the canary in memory; after a conflict it is read again first.
 * Whatever else was changed in memory is lost with that, as in Flagger.
 */
export function rewriting(canary: Canary, attempt: (current: Canary) => Plan<void>): Plan<void> {
  let isFirst = true
  return retryOnConflict(BACKOFF.default, () => {
    if (!isFirst) return attemptAgain(canary, attempt)
    isFirst = false
    return attempt(canary)
  })
}

function* attemptAgain(canary: Canary, attempt: (current: Canary) => Plan<void>): Plan<void> {
  yield* attempt(yield* readAgain(canary))
}

function* readAgain(canary: Canary): Plan<Canary> {
  return decodeCanary(
    yield* getObject(
      RESOURCES.canaries,
      namespaceOf(canary),
      canary.metadata.name,
      `canary ${fullName(canary)} get query failed: `
    )
  )
}

function write(canary: Canary, change: (current: Canary, timestamp: string) => CanaryStatus): Plan<void> {
  const writing = rewriting(canary, (current) => putChange(current, change))
  return wrapped('failed after retries: ', writing)
}

function* putChange(canary: Canary, change: (current: Canary, timestamp: string) => CanaryStatus): Plan<void> {
  const timestamp = formatTimestamp(yield* now())
  yield* putStatus(canary, { ...change(canary, timestamp), lastTransitionTime: timestamp })
}

function* putStatus(canary: Canary, status: CanaryStatus): Plan<void> {
  const draft = draftWith(canary, status)
  const put = (): Plan<unknown> => updateStatus(RESOURCES.canaries, namespaceOf(canary), draft)
  try {
    yield* put()
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error
    if (!error.message.includes('flagger.app/v1alpha')) throw updateFailed(canary, error)
    yield* wrapped(
      `updating canary ${fullName(canary)} from v1alpha to v1beta failed: `,
      updateObject(RESOURCES.canaries, namespaceOf(canary), draft)
    )
    yield* wrapped(`updating canary ${fullName(canary)} status failed: `, put())
  }
}

function updateFailed(canary: Canary, error: StepFailed): StepFailed {
  return new StepFailed(`updating canary ${fullName(canary)} status failed: ${error.message}`, { reason: error.reason })
}

function draftWith(canary: Canary, status: CanaryStatus): Draft {
  return { ...canary, status: withoutEmptyTexts(status) }
}

/** Texts that Flagger's types leave out when they are empty (`omitempty`). */
const OPTIONAL_TEXTS = [
  'lastAppliedSpec',
  'lastPromotedSpec',
  'previousSessionAffinityCookie',
  'primarySessionAffinityCookie',
  'sessionAffinityCookie'
] as const

function withoutEmptyTexts(status: CanaryStatus): CanaryStatus {
  if (!OPTIONAL_TEXTS.some((field) => status[field] === '')) return status
  const kept = { ...status }
  for (const field of OPTIONAL_TEXTS) if (kept[field] === '') delete kept[field]
  return kept
}

function countersAt(canary: Canary, phase: CanaryPhase, quirks: Quirks): Partial<CanaryStatus> {
  const reset = phase === 'Succeeded' && !quirks['failed-checks-survive-success'] ? { failedChecks: 0 } : {}
  if (phase === 'Progressing' || phase === 'Waiting' || phase === 'Promoting') return reset
  if (phase !== 'WaitingPromotion') return { ...reset, canaryWeight: 0, iterations: 0 }
  const iterations = (canary.spec.analysis.iterations ?? 0) - 1
  return quirks['waiting-promotion-shows-weight-zero'] ? { canaryWeight: 0, iterations } : { iterations }
}

function promotedSpecAt(canary: Canary, phase: CanaryPhase): Partial<CanaryStatus> {
  if (phase !== 'Initialized' && phase !== 'Succeeded') return {}
  return { lastPromotedSpec: canary.status?.lastAppliedSpec ?? '' }
}
