import { StepFailed } from '../failure.ts'
import type { ControllerSettings } from '../settings.ts'
import { daemonSetTarget } from './daemon-set.ts'
import { deploymentTarget } from './deployment.ts'
import { serviceTarget } from './service.ts'
import type { Target } from './target.ts'

/** Targets by kind; adding one takes this line and its file. */
const TARGETS: Readonly<Record<string, (settings: ControllerSettings) => Target>> = {
  Deployment: deploymentTarget,
  DaemonSet: daemonSetTarget,
  Service: serviceTarget
}

/**
 * The operations for a kind of target.
 * @throws StepFailed for Knative, which the twin does not model
 */
export function targetFor(settings: ControllerSettings, kind: string, apiVersion: string | undefined): Target {
  if (apiVersion === 'serving.knative.dev/v1')
    throw new StepFailed('target kind Knative Service: not modelled by rollout-twin')
  const made = targetsOf(settings)
  const known = made.get(kind)
  if (known !== undefined) return known
  const target = (TARGETS[kind] ?? deploymentTarget)(settings)
  made.set(kind, target)
  return target
}

/** Targets hold nothing but the settings of their controller: each is made once. */
const targetsBySettings = new WeakMap<ControllerSettings, Map<string, Target>>()

function targetsOf(settings: ControllerSettings): Map<string, Target> {
  let made = targetsBySettings.get(settings)
  if (made === undefined) targetsBySettings.set(settings, (made = new Map()))
  return made
}
