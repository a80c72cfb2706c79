import type { Canary } from '../../kinds/index.ts'
import { log, type Plan } from './effects.ts'
import { recordInfo } from './events.ts'
import { failureOf, StepFailed, wrapped } from './failure.ts'
import { addFinalizer, finalise, hasFinalizer, removeFinalizer } from './finalizer.ts'
import { privateCanary } from './decoding.ts'
import { sameJson } from './same.ts'
import type { ControllerSettings } from './settings.ts'
import { fullName, namespaceOf, statusOf } from './spec.ts'
import { setPhaseInitializing } from './status.ts'
import { invalidCanary } from './validation.ts'

/** What an update of a canary asks the controller to do. */
export interface UpdateReaction {
  /** The canary goes to a worker. */
  readonly enqueue: boolean
  /** revertOnDeletion was switched off: the finalizer goes at once. */
  readonly optOut: boolean
}

/**
 * How the informer's update handler reacts; changes of status, labels and annotations alone are ignored.
 * @see fluxcd/flagger pkg/controller/controller.go UpdateFunc 1.44.0
 */
export function reactToUpdate(before: Canary, after: Canary): UpdateReaction {
  const reverts = after.spec.revertOnDeletion === true
  const finalizes = after.metadata.deletionTimestamp !== undefined && hasFinalizer(after)
  return {
    enqueue: !sameJson(before.spec, after.spec) || finalizes || (!hasFinalizer(after) && reverts),
    optOut: before.spec.revertOnDeletion === true && !reverts
  }
}

/** Removes the finalizer of a canary that does not want to be reverted any more. */
export function* optOut(canary: Canary): Plan<void> {
  yield* log('info', `${fullName(canary)} opting out, deleting finalizers`)
  const failure = yield* failureOf(removeFinalizer(privateCanary(canary)))
  if (failure !== undefined)
    yield* log('warn', `Failed to remove finalizers for ${fullName(canary)}: ${failure.message}`)
}

/** What came of a canary that a worker took from the queue. */
export interface SyncOutcome {
  /** Whether it is to be scheduled. */
  readonly stored: boolean
  /** Whether something failed; it is told in the log and not tried again, but the next attempt may have to wait. */
  readonly failed: boolean
}

/**
 * What a worker does with a canary of the queue: validate, finalise, mark as Initializing, add the finalizer.
 * @param cached - the canary as the informer has it
 * @see fluxcd/flagger pkg/controller/controller.go syncHandler, processNextWorkItem 1.44.0
 */
export function* syncCanary(settings: ControllerSettings, cached: Canary): Plan<SyncOutcome> {
  const canary = privateCanary(cached)
  const key = `${namespaceOf(canary)}/${canary.metadata.name}`
  let stored = false
  const failure = yield* failureOf(
    (function* () {
      const problem = invalidCanary(settings, canary)
      if (problem !== undefined) throw new StepFailed(`invalid canary spec: ${problem}`)
      if (canary.spec.revertOnDeletion === true && canary.metadata.deletionTimestamp !== undefined)
        return yield* terminate(settings, canary)
      yield* markNew(canary, key)
      stored = true
      yield* holdBack(canary)
      yield* log('info', `Synced ${key}`)
    })()
  )
  if (failure !== undefined) yield* log('error', `Unhandled Error: error syncing '${key}': ${failure.message}`)
  return { stored, failed: failure !== undefined }
}

function* markNew(canary: Canary, key: string): Plan<void> {
  if (canary.status?.conditions !== undefined) return
  const failure = yield* failureOf(setPhaseInitializing(canary))
  if (failure === undefined) return
  yield* log('error', `${key} unable to set initializing status: ${failure.message}`)
  throw new StepFailed(`${key} initializing error: ${failure.message}`)
}

/** A canary that wants to be reverted is not deleted before that was done. */
function* holdBack(canary: Canary): Plan<void> {
  if (canary.spec.revertOnDeletion !== true || hasFinalizer(canary)) return
  yield* wrapped(`unable to add finalizer to canary ${fullName(canary)}: `, addFinalizer(canary))
}

function* terminate(settings: ControllerSettings, canary: Canary): Plan<void> {
  if (!hasFinalizer(canary)) return yield* log('info', `Canary ${fullName(canary)} has been finalized`)
  const name = fullName(canary)
  if (statusOf(canary).phase !== 'Terminated') {
    const failure = yield* failureOf(finalise(settings, canary))
    if (failure !== undefined) {
      yield* log('error', `Unable to finalize canary: ${failure.message}`, name)
      throw new StepFailed(`unable to finalize to canary ${name} error: ${failure.message}`)
    }
  }
  const failure = yield* failureOf(removeFinalizer(canary))
  if (failure !== undefined) {
    yield* log('error', `Unable to remove finalizer for canary ${name} error: ${failure.message}`, name)
    throw new StepFailed(`unable to remove finalizer for canary ${name}: ${failure.message}`)
  }
  yield* recordInfo(settings, canary, `Terminated canary ${name}`)
  yield* log('info', `Canary ${name} has been successfully processed and marked for deletion`)
}
