import type { Canary } from '../../kinds/index.ts'
import { scalerFor } from './autoscalers/registry.ts'
import { log, sleep, type Plan } from './effects.ts'
import { decide, recordInfo } from './events.ts'
import { StepFailed, failureOf, wrapped } from './failure.ts'
import { getObject, RESOURCES, updateObject } from './objects.ts'
import { routerFor } from './routers/registry.ts'
import { finaliseApexService } from './services.ts'
import type { ControllerSettings } from './settings.ts'
import { analysisIntervalMs, fullName, namespaceOf, statusOf } from './spec.ts'
import { rewriting, setStatusPhase } from './status.ts'
import { targetFor } from './targets/registry.ts'
import type { Target } from './targets/target.ts'

/** Keeps a deleted canary until everything is given back. */
export const FINALIZER = 'finalizer.flagger.app'

const READY_CHECKS = 4
const FIRST_PAUSE_MS = 3000

/** Whether a canary has the finalizer. */
export function hasFinalizer(canary: Canary): boolean {
  return canary.metadata.finalizers?.includes(FINALIZER) === true
}

/** Adds the finalizer. */
export function addFinalizer(canary: Canary): Plan<void> {
  return changeFinalizers(canary, (current) =>
    hasFinalizer(current) ? undefined : [...(current.metadata.finalizers ?? []), FINALIZER]
  )
}

/** Removes the finalizer; writes in any case. */
export function removeFinalizer(canary: Canary): Plan<void> {
  return changeFinalizers(canary, (current) => (current.metadata.finalizers ?? []).filter((name) => name !== FINALIZER))
}

/**
 * Gives everything back before a canary with revertOnDeletion goes: pods to the target, the apex Service's selector,
 * the mesh objects.
 * @param canary - as the informer has it
 * @throws StepFailed; the worker tries again at the next resync
 * @see fluxcd/flagger pkg/controller/finalizer.go finalize 1.44.0
 */
export function* finalise(settings: ControllerSettings, canary: Canary): Plan<void> {
  const namespace = namespaceOf(canary)
  yield* getObject(RESOURCES.canaries, namespace, canary.metadata.name, 'get query error: ')
  const { kind, apiVersion } = canary.spec.targetRef
  const target = targetFor(settings, kind, apiVersion)
  if (statusOf(canary).phase !== 'Terminating') {
    yield* wrapped('failed to update status: ', setStatusPhase(canary, 'Terminating', settings.quirks))
    const message = `Terminating canary ${fullName(canary)}`
    yield* decide(canary, 'terminated', message)
    yield* recordInfo(settings, canary, message)
  }
  const scaler = scalerFor(settings, canary.spec.autoscalerRef?.kind)
  if (scaler !== undefined) {
    yield* wrapped('failed to resume target scaler during finalizing: ', scaler.resumeTarget(canary))
  }
  yield* wrapped('failed to revert target: ', target.finalise(canary))
  yield* log('info', `${fullName(canary)} kind ${kind} reverted`)
  yield* log('info', `Checking if canary is ready ${fullName(canary)}`)
  yield* wrapped('canary not ready during finalizing: ', waitUntilReady(canary, target))
  const metadata = yield* wrapped('failed to get metadata for router finalizing: ', target.metadata(canary))
  yield* wrapped('failed revert router: ', finaliseApexService(canary, metadata))
  yield* log('info', `${fullName(canary)} router reverted`)
  const provider = canary.spec.provider || settings.meshProvider
  const router = yield* routerFor(settings, provider)
  yield* wrapped('failed to revert mesh: meshRouter.Finlize failed: ', router.finalise(canary))
  yield* log('info', `${fullName(canary)} mesh provider ${provider} reverted`)
  yield* log('info', `Finalization complete for ${fullName(canary)}`)
}

/** Checks up to four times, 3, 6 and 12 s apart; a pause that would pass the interval is the last one. */
function* waitUntilReady(canary: Canary, target: Target): Plan<void> {
  let pauseMs = FIRST_PAUSE_MS
  for (let left = READY_CHECKS; left > 0;) {
    const failure = yield* failureOf(target.canaryReady(canary))
    if (failure === undefined) return
    if (!failure.retriable) throw failure
    if (left === 1) break
    yield* sleep(pauseMs)
    left = pauseMs * 2 > analysisIntervalMs(canary) ? 0 : left - 1
    pauseMs = Math.min(pauseMs * 2, analysisIntervalMs(canary))
  }
  throw new StepFailed('retriable error')
}

function changeFinalizers(canary: Canary, change: (current: Canary) => string[] | undefined): Plan<void> {
  const changing = rewriting(canary, function* (current) {
    const finalizers = change(current)
    if (finalizers === undefined) return
    const { finalizers: _replaced, ...metadata } = current.metadata
    const kept = { ...metadata, ...(finalizers.length > 0 ? { finalizers } : {}) }
    const draft = { ...current, metadata: kept, status: statusOf(current) }
    yield* updateObject(RESOURCES.canaries, namespaceOf(current), draft)
  })
  return wrapped('failed after retries: ', changing)
}
