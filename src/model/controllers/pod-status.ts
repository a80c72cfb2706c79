import { fnv1a32Numbered } from '../../lib/apimachinery/index.ts'
import { keptByText } from '../../lib/memory/index.ts'
import { type Instant, formatTimestamp } from '../../lib/time/index.ts'
import { keepSameItems, sameMembers } from './json.ts'
import { conditionOf } from './pod-facts.ts'
import type { Condition, Container, ContainerState, ContainerStatus, Pod, PodStatus } from './shapes.ts'

/** What the kubelet knows of one container. */
export interface ContainerRun {
  readonly name: string
  readonly state: ContainerState
  readonly lastState: ContainerState
  readonly restartCount: number
  /** The startup probe succeeded, or there is none. */
  readonly started: boolean
  /** The readiness probe's verdict; true without probe. */
  readonly ready: boolean
}

/** Everything a pod's status is computed from. */
export interface PodFacts {
  readonly pod: Pod
  readonly runs: readonly ContainerRun[]
  readonly podIp: string | undefined
  readonly hostIp: string
  /** A veto on readiness (a rule of the world). */
  readonly mayBeReady: boolean
  /** The pod is being deleted and its processes have ended: its phase is final whatever the restart policy. */
  readonly ended: boolean
  readonly now: Instant
}

/** An id of 64 hex digits for one run of a container. */
export function containerId(pod: Pod, name: string, restartCount: number): string {
  return `containerd://${digestText(`${pod.metadata.uid}/${name}/${restartCount}`)}`
}

const NO_STATUS: PodStatus = {}

/**
 * The status the kubelet reports for a pod on its node: the stored one itself where nothing changed, else its unchanged parts.
 * @see kubernetes/pkg/kubelet/status, v1.36
 */
export function podStatus(facts: PodFacts): PodStatus {
  const { pod, podIp, hostIp, now } = facts
  const before = pod.status ?? NO_STATUS
  const phase = phaseOf(facts)
  const inits = initStatuses(facts, before.initContainerStatuses)
  const { generation } = pod.metadata
  const status: Reported = before.initContainerStatuses === undefined ? { ...before } : withoutInits(before)
  status.phase = phase
  status.conditions = mergeConditions(pod, conditionsOf(facts, phase), now)
  status.hostIP = hostIp
  status['hostIPs'] = addresses(before['hostIPs'] as PodStatus['podIPs'], hostIp)
  if (podIp !== undefined) {
    status.podIP = podIp
    status.podIPs = addresses(before.podIPs, podIp)
  }
  status.startTime = before.startTime ?? formatTimestamp(now)
  if (inits.length > 0) status.initContainerStatuses = inits
  status.containerStatuses = containerStatuses(facts, before.containerStatuses)
  if (generation !== undefined) status['observedGeneration'] = generation
  return sameMembers(before, status) ? before : status
}

/** The list of one address: the one that was there where it is the same. */
function addresses(before: PodStatus['podIPs'], ip: string): NonNullable<PodStatus['podIPs']> {
  return before?.length === 1 && before[0]?.ip === ip ? before : [{ ip }]
}

/** A status that is being written. */
type Reported = { -readonly [Field in keyof PodStatus]: PodStatus[Field] }

function initStatuses(facts: PodFacts, before: readonly ContainerStatus[] = []): readonly ContainerStatus[] {
  const { initContainers = [] } = facts.pod.spec
  if (initContainers.length === 0) return initContainers as readonly []
  const next = initContainers.map((container) => initStatus(facts, container))
  return keepSameItems(before, next)
}

function withoutInits(status: PodStatus): PodStatus {
  const { initContainerStatuses: _old, ...kept } = status
  return kept
}

/** Pending until all containers have started once; ended when all have and the restart policy lets them. */
function phaseOf({ pod, runs, ended }: PodFacts): string {
  let running = false
  let failed = false
  for (const run of runs) {
    if (!ended && neverStarted(run)) return 'Pending'
    const code = run.state.terminated?.exitCode
    if (code === undefined) running = true
    if (code !== 0) failed = true
  }
  if (ended) return failed ? 'Failed' : 'Succeeded'
  const policy = pod.spec.restartPolicy ?? 'Always'
  if (policy === 'Always' || running) return 'Running'
  if (!failed) return 'Succeeded'
  return policy === 'Never' ? 'Failed' : 'Running'
}

function neverStarted(run: ContainerRun): boolean {
  return run.state.waiting !== undefined && run.lastState.terminated === undefined
}

/** Whether a container counts as ready. */
function isReady(run: ContainerRun | undefined): boolean {
  return run?.state.running !== undefined && run.started && run.ready
}

function containerStatuses(facts: PodFacts, before: readonly ContainerStatus[] = []): readonly ContainerStatus[] {
  const { containers } = facts.pod.spec
  const next = containers.map((container, index) => containerStatus(facts, container, before[index]))
  return keepSameItems(before, next)
}

/** @param before - what was reported at the same place */
function containerStatus(facts: PodFacts, container: Container, before: ContainerStatus | undefined): ContainerStatus {
  const { name, image } = container
  const run = facts.runs.find((each) => each.name === name)
  const restartCount = run?.restartCount ?? 0
  const state = run?.state ?? CREATING
  const begun = state.waiting === undefined || run?.lastState.terminated !== undefined
  // Digests cost more than everything else here, and those of the same run and image are known.
  const known = before?.name === name && before.imageID !== '' ? before : undefined
  return {
    ...(begun ? { containerID: idOfRun(facts.pod, known, { name, restartCount }) } : undefined),
    image,
    imageID: begun ? (known?.image === image ? known.imageID : imageId(image)) : '',
    lastState: run?.lastState ?? {},
    name,
    ready: isReady(run) && facts.mayBeReady,
    restartCount,
    started: state.running !== undefined && run?.started === true,
    state
  }
}

const CREATING: ContainerState = { waiting: { reason: 'ContainerCreating' } }

function idOfRun(
  pod: Pod,
  known: ContainerStatus | undefined,
  run: { readonly name: string; readonly restartCount: number }
): string {
  if (known?.containerID !== undefined && known.restartCount === run.restartCount) return known.containerID
  return containerId(pod, run.name, run.restartCount)
}

function initStatus(facts: PodFacts, container: Container): ContainerStatus {
  const id = containerId(facts.pod, container.name, 0)
  const started = facts.runs.some((run) => run.state.waiting === undefined)
  const time = facts.pod.status?.startTime ?? formatTimestamp(facts.now)
  const ended = { exitCode: 0, reason: 'Completed', startedAt: time, finishedAt: time, containerID: id }
  return {
    ...(started ? { containerID: id } : {}),
    image: container.image,
    imageID: started ? imageId(container.image) : '',
    lastState: {},
    name: container.name,
    ready: started,
    restartCount: 0,
    started: false,
    state: started ? { terminated: ended } : { waiting: { reason: 'PodInitializing' } }
  }
}

/** Most images whose ids are kept. */
const IMAGES_MAX = 500

const imageId = keptByText(IMAGES_MAX, (image) => `sha256:${digestText(image)}`)

/** Sixty-four hex digits that look like a digest; a cheap hash will do, for nobody verifies them. */
function digestText(text: string): string {
  let digest = ''
  for (const hash of fnv1a32Numbered(8, text)) digest += hash.toString(16).padStart(8, '0')
  return digest
}

interface Verdict {
  readonly type: string
  readonly ok: boolean
  readonly reason?: string
  readonly message?: string
}

function conditionsOf(facts: PodFacts, phase: string): Verdict[] {
  const { pod, runs } = facts
  const unready: string[] = []
  for (const { name } of pod.spec.containers)
    if (!facts.mayBeReady || !isReady(runs.find((run) => run.name === name))) unready.push(name)
  const containersReady = readiness('ContainersReady', unready, phase)
  return [
    { type: 'PodReadyToStartContainers', ok: facts.podIp !== undefined && phase !== 'Succeeded' && phase !== 'Failed' },
    phase === 'Succeeded'
      ? { type: 'Initialized', ok: true, reason: 'PodCompleted' }
      : { type: 'Initialized', ok: true },
    gated(pod, { ...containersReady, type: 'Ready' }),
    containersReady,
    { type: 'PodScheduled', ok: true }
  ]
}

function readiness(type: string, unready: readonly string[], phase: string): Verdict {
  if (phase === 'Succeeded') return { type, ok: false, reason: 'PodCompleted' }
  if (phase === 'Failed') return { type, ok: false, reason: 'PodFailed' }
  if (unready.length === 0) return { type, ok: true }
  const message = `containers with unready status: [${unready.join(' ')}]`
  return { type, ok: false, reason: 'ContainersNotReady', message }
}

/** A pod whose containers are ready waits for its readiness gates. */
function gated(pod: Pod, verdict: Verdict): Verdict {
  if (!verdict.ok) return verdict
  const problems: string[] = []
  for (const gate of pod.spec.readinessGates ?? []) {
    const condition = pod.status?.conditions?.find((each) => each.type === gate.conditionType)
    if (condition === undefined)
      problems.push(`corresponding condition of pod readiness gate "${gate.conditionType}" does not exist.`)
    else if (condition.status !== 'True')
      problems.push(`the status of pod readiness gate "${gate.conditionType}" is not "True", but ${condition.status}`)
  }
  if (problems.length === 0) return verdict
  return { type: verdict.type, ok: false, reason: 'ReadinessGatesNotReady', message: problems.join(', ') }
}

/** Keeps unchanged conditions, transition times of those that stay what they are, and conditions other parties own. */
function mergeConditions(pod: Pod, verdicts: readonly Verdict[], now: Instant): readonly Condition[] {
  const before = pod.status?.conditions ?? NO_CONDITIONS
  const merged: Condition[] = []
  let known = 0
  let same = true
  for (let index = 0; index < verdicts.length; index++) {
    const verdict = verdicts[index] as Verdict
    const there = before[index]
    const old = there?.type === verdict.type ? there : conditionOf(before, verdict.type)
    const next = condition(old, verdict, { now, generation: pod.metadata.generation })
    if (old !== undefined) known += 1
    if (next !== there) same = false
    merged.push(next)
  }
  if (known < before.length) {
    for (const each of before) {
      if (verdicts.some(({ type }) => type === each.type)) continue
      if (each !== before[merged.length]) same = false
      merged.push(each)
    }
  }
  return same && merged.length === before.length ? before : merged
}

const NO_CONDITIONS: readonly Condition[] = []

/** Whether a condition says everything a report says besides status, reason and message. */
function isCurrent(condition: Condition, generation: number | undefined): boolean {
  return (
    condition.observedGeneration === generation &&
    (condition.lastProbeTime ?? null) === null &&
    typeof condition.lastTransitionTime === 'string'
  )
}

/** A condition as it is reported; the old one where it says the same. */
function condition(
  old: Condition | undefined,
  { type, ok, reason, message }: Verdict,
  of: { readonly now: Instant; readonly generation: number | undefined }
): Condition {
  const { now, generation } = of
  const status = ok ? 'True' : 'False'
  const stays = old?.status === status
  if (stays && old.reason === reason && old.message === message && isCurrent(old, generation)) return old
  const next: { -readonly [Field in keyof Condition]: Condition[Field] } = { type, status }
  if (generation !== undefined) next.observedGeneration = generation
  next.lastTransitionTime = stays ? (old.lastTransitionTime ?? formatTimestamp(now)) : formatTimestamp(now)
  if (reason !== undefined) next.reason = reason
  if (message !== undefined) next.message = message
  return next
}
