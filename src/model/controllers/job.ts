import { formatTimestamp, parseTimestamp } from '../../lib/time/index.ts'
import type { KubeObject, KubeStatus } from '../../kinds/index.ts'
import { sameJson } from './json.ts'
import { claimControlled } from './owners.ts'
import {
  type ControllerEffect,
  DONE,
  type ObjectKey,
  type Plan,
  type ReconcileContext,
  type Requeue,
  report,
  write
} from './plan.ts'
import { isPodActive, isPodReady } from './pod-facts.ts'
import { createPod } from './replicaset.ts'
import { deleteRequest, updateRequest } from './requests.ts'
import type { Condition, LabelSelector, Pod, PodTemplate } from './shapes.ts'

/** batch/v1 Job, the part the controller reads. */
interface Job extends KubeObject {
  spec: {
    readonly parallelism?: number
    readonly completions?: number
    readonly backoffLimit?: number
    readonly activeDeadlineSeconds?: number
    readonly ttlSecondsAfterFinished?: number
    readonly suspend?: boolean
    readonly selector: LabelSelector
    readonly template: PodTemplate
  }
  status?: JobStatus
}

interface JobStatus {
  readonly conditions?: readonly Condition[]
  readonly startTime?: string
  readonly completionTime?: string
  readonly active?: number
  readonly ready?: number
  readonly terminating?: number
  readonly succeeded?: number
  readonly failed?: number
  readonly uncountedTerminatedPods?: object
}

/** Pods of a job by what became of them. */
interface JobPods {
  readonly active: readonly Pod[]
  readonly terminating: number
  readonly succeeded: number
  readonly failed: number
}

interface JobRun {
  readonly context: ReconcileContext
  readonly job: Job
  readonly pods: JobPods
}

/**
 * Runs pods until enough of them succeeded or too many failed. Basics only: no indexed completion, no failure policies.
 * @see kubernetes/pkg/controller/job/job_controller.go, v1.36
 */
export function* reconcileJob(context: ReconcileContext, key: ObjectKey): Plan<Requeue> {
  const job = context.view.get('batch', 'jobs', key.namespace, key.name) as Job | undefined
  if (job === undefined || job.metadata.deletionTimestamp !== undefined) return DONE
  if (isFinished(job)) return yield* expire(context, job)
  const wanted = { group: '', resource: 'pods', selector: job.spec.selector }
  const claimed = (yield* claimControlled(context, job, wanted)) as readonly Pod[]
  const run: JobRun = { context, job, pods: sortPods(claimed) }
  const failure = failureOf(run)
  if (failure !== undefined) return yield* fail(run, failure)
  if (isComplete(run)) return yield* complete(run)
  if (job.spec.suspend === true) return yield* suspend(run)
  return yield* proceed(run)
}

function sortPods(pods: readonly Pod[]): JobPods {
  const inPhase = (phase: string): number => pods.filter((pod) => pod.status?.phase === phase).length
  return {
    active: pods.filter(isPodActive),
    terminating: pods.filter((pod) => pod.metadata.deletionTimestamp !== undefined).length,
    succeeded: inPhase('Succeeded'),
    failed: inPhase('Failed')
  }
}

function conditionOf(job: Job, type: string): Condition | undefined {
  return job.status?.conditions?.find((each) => each.type === type && each.status === 'True')
}

function isFinished(job: Job): boolean {
  return conditionOf(job, 'Complete') !== undefined || conditionOf(job, 'Failed') !== undefined
}

function isComplete({ job, pods }: JobRun): boolean {
  if (job.spec.completions !== undefined) return pods.succeeded >= job.spec.completions
  return pods.succeeded > 0 && pods.active.length === 0
}

/** Retries so far: failed pods, and restarts inside pods that restart on failure. */
function retriesOf(pods: JobPods): number {
  const restarts = pods.active.flatMap((pod) => pod.status?.containerStatuses ?? [])
  return pods.failed + restarts.reduce((sum, status) => sum + status.restartCount, 0)
}

function failureOf({ context, job, pods }: JobRun): readonly [string, string] | undefined {
  const limit = job.spec.backoffLimit ?? 6
  if (retriesOf(pods) > limit) return ['BackoffLimitExceeded', 'Job has reached the specified backoff limit']
  const due = deadlineOf(job)
  if (due !== undefined && due <= context.now) {
    return ['DeadlineExceeded', 'Job was active longer than specified deadline']
  }
  return undefined
}

function deadlineOf(job: Job): number | undefined {
  const { activeDeadlineSeconds } = job.spec
  const start = job.status?.startTime === undefined ? undefined : parseTimestamp(job.status.startTime)
  if (activeDeadlineSeconds === undefined || start === undefined) return undefined
  return start + activeDeadlineSeconds * 1000
}

function* fail(run: JobRun, [reason, message]: readonly [string, string]): Plan<Requeue> {
  for (const pod of run.pods.active) yield write(deleteRequest(pod, 'pods'))
  const conditions = [condition(run, 'FailureTarget', reason, message), condition(run, 'Failed', reason, message)]
  yield say(run.job, 'Warning', [reason, message])
  const pods = { ...run.pods, active: [], failed: run.pods.failed + run.pods.active.length }
  yield* store({ ...run, pods }, { conditions: [...(run.job.status?.conditions ?? []), ...conditions] })
  return DONE
}

function* complete(run: JobRun): Plan<Requeue> {
  for (const pod of run.pods.active) yield write(deleteRequest(pod, 'pods'))
  const reason = 'CompletionsReached'
  const message = 'Reached expected number of succeeded pods'
  const conditions = [
    condition(run, 'SuccessCriteriaMet', reason, message),
    condition(run, 'Complete', reason, message)
  ]
  yield say(run.job, 'Normal', ['Completed', 'Job completed'])
  const completionTime = formatTimestamp(run.context.now)
  yield* store(
    { ...run, pods: { ...run.pods, active: [] } },
    {
      conditions: [...(run.job.status?.conditions ?? []), ...conditions],
      completionTime
    }
  )
  return DONE
}

function* suspend(run: JobRun): Plan<Requeue> {
  for (const pod of run.pods.active) yield write(deleteRequest(pod, 'pods'))
  const others = (run.job.status?.conditions ?? []).filter((each) => each.type !== 'Suspended')
  if (conditionOf(run.job, 'Suspended') === undefined) {
    yield say(run.job, 'Normal', ['Suspended', 'Job suspended'])
    const suspended = condition(run, 'Suspended', 'JobSuspended', 'Job suspended')
    yield* store({ ...run, pods: { ...run.pods, active: [] } }, { conditions: [...others, suspended] }, true)
  }
  return DONE
}

function* proceed(run: JobRun): Plan<Requeue> {
  const { job, context, pods } = run
  const resumed = conditionOf(job, 'Suspended')
  let conditions = job.status?.conditions ?? []
  if (resumed !== undefined) {
    const others = conditions.filter((each) => each.type !== 'Suspended')
    conditions = [...others, { ...condition(run, 'Suspended', 'JobResumed', 'Job resumed'), status: 'False' }]
    yield say(job, 'Normal', ['Resumed', 'Job resumed'])
  }
  const parallelism = job.spec.parallelism ?? 1
  const left = (job.spec.completions ?? parallelism) - pods.succeeded
  const started = job.spec.completions === undefined && pods.succeeded > 0
  const wanted = started ? pods.active.length : Math.min(parallelism, left)
  for (let count = pods.active.length; count < wanted; count++) {
    const response = yield createPod(job, job.spec.template)
    if (response.code >= 400) {
      yield say(job, 'Warning', ['FailedCreate', `Error creating: ${(response.body as KubeStatus).message ?? ''}`])
      return { retry: true }
    }
    const pod = response.body as Pod
    yield say(job, 'Normal', ['SuccessfulCreate', `Created pod: ${pod.metadata.name}`])
  }
  for (const pod of pods.active.slice(wanted)) yield write(deleteRequest(pod, 'pods'))
  yield* store(run, conditions.length === 0 ? {} : { conditions })
  const due = deadlineOf(job)
  if (due !== undefined) return { requeueAt: due }
  const { activeDeadlineSeconds } = job.spec
  return activeDeadlineSeconds === undefined ? DONE : { requeueAt: context.now + activeDeadlineSeconds * 1000 }
}

function* store(
  run: JobRun,
  extra: { readonly conditions?: readonly Condition[]; readonly completionTime?: string },
  stopped = false
): Plan<void> {
  const { job, pods, context } = run
  const startTime = job.status?.startTime ?? formatTimestamp(context.now)
  const status: JobStatus = {
    ...extra,
    ...(stopped ? {} : { startTime }),
    ...(pods.active.length === 0 ? {} : { active: pods.active.length }),
    ready: pods.active.filter(isPodReady).length,
    terminating: pods.terminating,
    ...(pods.succeeded === 0 ? {} : { succeeded: pods.succeeded }),
    ...(pods.failed === 0 ? {} : { failed: pods.failed }),
    uncountedTerminatedPods: {}
  }
  if (!sameJson(job.status, status)) yield write(updateRequest({ ...job, status }, 'jobs', 'status'))
}

/** A finished job goes after its time to live. */
function* expire(context: ReconcileContext, job: Job): Plan<Requeue> {
  const ttl = job.spec.ttlSecondsAfterFinished
  const end = (conditionOf(job, 'Complete') ?? conditionOf(job, 'Failed'))?.lastTransitionTime
  if (ttl === undefined || typeof end !== 'string') return DONE
  const due = (parseTimestamp(end) ?? context.now) + ttl * 1000
  if (due > context.now) return { requeueAt: due }
  yield write(deleteRequest(job, 'jobs', { propagation: 'Foreground' }))
  return DONE
}

function condition(run: JobRun, type: string, reason: string, message: string): Condition {
  const time = formatTimestamp(run.context.now)
  return { type, status: 'True', lastProbeTime: time, lastTransitionTime: time, reason, message }
}

function say(job: Job, type: 'Normal' | 'Warning', [reason, message]: readonly [string, string]): ControllerEffect {
  return report({ about: job, type, reason, message, component: 'job-controller' })
}
