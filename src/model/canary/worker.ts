import type { Canary } from '../../kinds/index.ts'
import { log, type Plan } from './effects.ts'
import { recordInfo } from './events.ts'
import { failureOf, type StepFailed } from './failure.ts'
import { addFinalizer, finalise, hasFinalizer, removeFinalizer } from './finalizer.ts'
import { draftOf } from './objects.ts'
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
  const failure = yield* failureOf(removeFinalizer(draftOf(canary)))
  if (failure !== undefined)
    yield* log('warn', `Failed to remove finalizers for ${fullName(canary)}: ${failure.message}`)
}

/**
 * What a worker does with a canary of the queue: validate, finalise, mark as Initializing, add the finalizer.
 * @param cached - the canary as the informer has it
 * @returns whether the canary is to be scheduled
 * @see fluxcd/flagger pkg/controller/controller.go syncHandler 1.44.0
 */
export function* syncCanary(settings: ControllerSettings, cached: Canary): Plan<boolean> {
  const canary = draftOf(cached)
  const key = `${namespaceOf(canary)}/${canary.metadata.name}`
  const problem = invalidCanary(settings, canary)
  if (problem !== undefined)
    return yield* notScheduled(`Unhandled Error: error syncing '${key}': invalid canary spec: ${problem}`)
  if (canary.spec.revertOnDeletion === true && canary.metadata.deletionTimestamp !== undefined) {
    yield* terminate(settings, canary, key)
    return false
  }
  if (canary.status?.conditions === undefined) {
    const failure = yield* failureOf(setPhaseInitializing(canary))
    if (failure !== undefined) {
      yield* log('error', `${key} unable to set initializing status: ${failure.message}`)
      return yield* notScheduled(
        `Unhandled Error: error syncing '${key}': ${key} initializing error: ${failure.message}`
      )
    }
  }
  if (canary.spec.revertOnDeletion === true && !hasFinalizer(canary)) {
    const failure = yield* failureOf(addFinalizer(canary))
    if (failure !== undefined) {
      const text = `unable to add finalizer to canary ${fullName(canary)}: ${failure.message}`
      yield* log('error', `Unhandled Error: error syncing '${key}': ${text}`)
      return true
    }
  }
  yield* log('info', `Synced ${key}`)
  return true
}

function* notScheduled(message: string): Plan<false> {
  yield* log('error', message)
  return false
}

function* terminate(settings: ControllerSettings, canary: Canary, key: string): Plan<void> {
  if (!hasFinalizer(canary)) return yield* log('info', `Canary ${fullName(canary)} has been finalized`)
  if (statusOf(canary).phase !== 'Terminated') {
    const failure = yield* failureOf(finalise(settings, canary))
    if (failure !== undefined) return yield* unfinished(canary, key, failure)
  }
  const failure = yield* failureOf(removeFinalizer(canary))
  if (failure !== undefined) {
    const text = `nable to remove finalizer for canary ${fullName(canary)}`
    yield* log('error', `U${text} error: ${failure.message}`, fullName(canary))
    return yield* log('error', `Unhandled Error: error syncing '${key}': u${text}: ${failure.message}`)
  }
  yield* recordInfo(settings, canary, `Terminated canary ${fullName(canary)}`)
  yield* log('info', `Canary ${fullName(canary)} has been successfully processed and marked for deletion`)
}

function* unfinished(canary: Canary, key: string, failure: StepFailed): Plan<void> {
  yield* log('error', `Unable to finalize canary: ${failure.message}`, fullName(canary))
  yield* log(
    'error',
    `Unhandled Error: error syncing '${key}': unable to finalize to canary ${fullName(canary)} error: ${failure.message}`
  )
}
