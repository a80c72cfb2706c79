import { formatTimestamp, parseTimestamp, type Instant } from '../../lib/time/index.ts'
import type { ApiResponse, KubeObject } from '../../kinds/index.ts'
import { now, randomFraction, request, sleep, type Plan } from './effects.ts'
import { pathOf, type Resource } from './objects.ts'
import { performed } from './performing.ts'
import type { ControllerSettings } from './settings.ts'

/** Name of the Lease that Flagger's replicas compete for. @see fluxcd/flagger cmd/flagger/main.go startLeaderElection 1.44.0 */
const LEASE_NAME = 'flagger-leader-election'
/** A lease that is not seen to change for this long may be taken over. */
const LEASE_MS = 60_000
/** A leader that cannot renew for this long gives up. */
const RENEW_DEADLINE_MS = 15_000
/** Pause between tries. */
const RETRY_MS = 5_000
/** While it is not elected, a candidate waits up to this many retry periods longer. */
const JITTER = 1.2

const LEASES: Resource = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease' }

/** What a Lease says, in the words of client-go. */
interface ElectionRecord {
  readonly holder: string
  readonly durationSeconds: number
  readonly transitions: number
  readonly acquired: Instant
  readonly renewed: Instant
}

interface LeaseSpec {
  readonly holderIdentity?: string
  readonly leaseDurationSeconds?: number
  readonly leaseTransitions?: number
  readonly acquireTime?: string
  readonly renewTime?: string
}

const NO_RECORD: ElectionRecord = { holder: '', durationSeconds: 0, transitions: 0, acquired: 0, renewed: 0 }

/** One process that wants to lead, and what it has seen of the Lease. */
export class Candidate {
  readonly namespace: string
  readonly identity: string
  /** The Lease as the server answered last; an update replaces this version. */
  lease: KubeObject | undefined
  observed: ElectionRecord = NO_RECORD
  observedAt: Instant = 0
  /** The record as read last, in client-go's encoding: whole seconds. */
  observedText = ''
  reportedLeader = ''

  /**
   * @param settings - name the namespace: `-namespace` where it is set, else `-leader-election-namespace`
   * @param identity - `<host name>_<uuid>`
   */
  constructor(settings: ControllerSettings, identity: string) {
    this.namespace = settings.namespace === '' ? settings.leaderElectionNamespace : settings.namespace
    this.identity = identity
  }

  /** Whether the record seen last names this process. */
  get isLeader(): boolean {
    return this.observed.holder === this.identity
  }

  /** `namespace/name` of the Lease. */
  get lock(): string {
    return `${this.namespace}/${LEASE_NAME}`
  }
}

/**
 * Runs for leader until elected. The process records no events: Flagger gives its lock no recorder.
 * @see k8s.io/client-go tools/leaderelection v0.36.2 acquire
 */
export function* campaign(candidate: Candidate): Plan<void> {
  const { identity, namespace } = candidate
  yield* tell('info', `Starting leader election id: ${identity} configmap: ${LEASE_NAME} namespace: ${namespace}`)
  yield* tell('info', 'Attempting to acquire leader lease...', { lock: candidate.lock })
  for (;;) {
    const elected = yield* tryAcquireOrRenew(candidate)
    yield* reportTransition(candidate)
    if (elected) break
    yield* sleep(RETRY_MS * (1 + JITTER * (yield* randomFraction())))
  }
  yield* tell('info', 'Successfully acquired lease', { lock: candidate.lock })
  yield* tell('info', 'Acting as elected leader')
}

/**
 * Renews the lease until that fails for 15 s; then the leadership is lost and the lease is given up.
 * @see k8s.io/client-go tools/leaderelection v0.36.2 renew
 */
export function* keepLease(candidate: Candidate): Plan<void> {
  while (yield* renewInTime(candidate)) {
    yield* reportTransition(candidate)
    yield* sleep(RETRY_MS)
  }
  yield* reportTransition(candidate)
  yield* tell('info', 'Failed to renew lease', { lock: candidate.lock, err: 'context deadline exceeded' })
  yield* resign(candidate)
}

/**
 * Leaves the Lease without a holder, for one second, so that another process may lead at its next try.
 * @see k8s.io/client-go tools/leaderelection v0.36.2 release
 */
export function* resign(candidate: Candidate): Plan<void> {
  const response = yield* request({ method: 'GET', path: pathOf(LEASES, candidate.namespace, LEASE_NAME) })
  if (response.code === 404) return yield* tell('info', 'lease lock not found', { lock: candidate.lock })
  if (!succeeded(response)) return yield* refused(candidate, 'error retrieving resource lock', response)
  candidate.lease = response.body as KubeObject
  if (!candidate.isLeader) return
  const at = yield* now()
  const { transitions } = recordOf(candidate.lease)
  const record = { holder: '', durationSeconds: 1, transitions, acquired: at, renewed: at }
  const written = yield* update(candidate, record)
  if (!succeeded(written)) yield* refused(candidate, 'Failed to release lease', written)
}

/** Tries at once and every 5 s. */
function* renewInTime(candidate: Candidate): Plan<boolean> {
  const begin = yield* now()
  for (let tries = 1; ; tries++) {
    if (yield* tryAcquireOrRenew(candidate)) return true
    const at = yield* now()
    const next = Math.min(begin + RENEW_DEADLINE_MS, Math.max(at, begin + tries * RETRY_MS))
    yield* sleep(Math.max(0, next - at))
    if (next >= begin + RENEW_DEADLINE_MS) return false
  }
}

function* tryAcquireOrRenew(candidate: Candidate): Plan<boolean> {
  const at = yield* now()
  const own: ElectionRecord = {
    holder: candidate.identity,
    durationSeconds: LEASE_MS / 1000,
    transitions: 0,
    acquired: at,
    renewed: at
  }
  const { transitions, acquired } = candidate.observed
  // The leader first tries to overwrite what it wrote last; only a refusal makes it read the Lease again.
  if (candidate.isLeader && isValid(candidate, at)) {
    const written = yield* update(candidate, { ...own, transitions, acquired })
    if (succeeded(written)) return yield* observe(candidate, { ...own, transitions, acquired })
  }
  const response = yield* request({ method: 'GET', path: pathOf(LEASES, candidate.namespace, LEASE_NAME) })
  if (response.code === 404) return yield* create(candidate, own)
  if (!succeeded(response)) {
    yield* refused(candidate, 'Error retrieving lease lock', response)
    return false
  }
  return yield* contest(candidate, response.body as KubeObject, own)
}

function* create(candidate: Candidate, own: ElectionRecord): Plan<boolean> {
  const { namespace } = candidate
  const body = { ...typeMeta(), metadata: { name: LEASE_NAME, namespace }, spec: specOf(own) }
  const response = yield* request({ method: 'POST', path: pathOf(LEASES, namespace), body })
  if (succeeded(response)) {
    candidate.lease = response.body as KubeObject
    return yield* observe(candidate, own)
  }
  yield* refused(candidate, 'Error initially creating lease lock', response)
  return false
}

/** Takes the lease that was read, unless another process holds it and was seen to renew it lately. */
function* contest(candidate: Candidate, lease: KubeObject, own: ElectionRecord): Plan<boolean> {
  candidate.lease = lease
  const stored = recordOf(lease)
  const text = encoded(stored)
  if (text !== candidate.observedText) {
    yield* observe(candidate, stored)
    candidate.observedText = text
  }
  if (stored.holder !== '' && isValid(candidate, own.renewed) && !candidate.isLeader) return false
  const record = candidate.isLeader
    ? { ...own, acquired: stored.acquired, transitions: stored.transitions }
    : { ...own, transitions: stored.transitions + 1 }
  const written = yield* update(candidate, record)
  if (succeeded(written)) return yield* observe(candidate, record)
  yield* refused(candidate, 'Failed to update lease', written)
  return false
}

function* update(candidate: Candidate, record: ElectionRecord): Plan<ApiResponse> {
  const body = { ...candidate.lease, ...typeMeta(), spec: specOf(record) }
  const response = yield* request({ method: 'PUT', path: pathOf(LEASES, candidate.namespace, LEASE_NAME), body })
  if (succeeded(response)) candidate.lease = response.body as KubeObject
  return response
}

function* observe(candidate: Candidate, record: ElectionRecord): Plan<true> {
  candidate.observed = record
  candidate.observedAt = yield* now()
  return true
}

function* reportTransition(candidate: Candidate): Plan<void> {
  const { holder } = candidate.observed
  if (holder === candidate.reportedLeader) return
  candidate.reportedLeader = holder
  if (holder !== candidate.identity) yield* tell('info', `Another instance has been elected as leader: ${holder}`)
}

/** Counted from when the record was first seen, by the own clock: the times in the Lease do not matter. */
function isValid({ observed, observedAt }: Candidate, at: Instant): boolean {
  return observedAt + observed.durationSeconds * 1000 > at
}

function recordOf(lease: KubeObject): ElectionRecord {
  const spec = (lease.spec ?? {}) as LeaseSpec
  return {
    holder: spec.holderIdentity ?? '',
    durationSeconds: spec.leaseDurationSeconds ?? 0,
    transitions: spec.leaseTransitions ?? 0,
    acquired: parseTimestamp(spec.acquireTime ?? '') ?? 0,
    renewed: parseTimestamp(spec.renewTime ?? '') ?? 0
  }
}

function encoded(record: ElectionRecord): string {
  return JSON.stringify({
    ...record,
    acquired: formatTimestamp(record.acquired),
    renewed: formatTimestamp(record.renewed)
  })
}

function specOf({ holder, durationSeconds, transitions, acquired, renewed }: ElectionRecord): LeaseSpec {
  return {
    holderIdentity: holder,
    leaseDurationSeconds: durationSeconds,
    acquireTime: microTime(acquired),
    renewTime: microTime(renewed),
    leaseTransitions: transitions
  }
}

function microTime(instant: Instant): string {
  return new Date(Math.floor(instant)).toISOString().replace('Z', '000Z')
}

function typeMeta(): { readonly apiVersion: string; readonly kind: string } {
  return { apiVersion: `${LEASES.group}/${LEASES.version}`, kind: LEASES.kind }
}

function succeeded({ code }: ApiResponse): boolean {
  return code >= 200 && code < 300
}

function* refused({ lock }: Candidate, message: string, { code, body }: ApiResponse): Plan<void> {
  const error = (body as { readonly message?: string } | null | undefined)?.message ?? `status code ${code}`
  yield* tell('error', message, { lock, error })
}

function tell(level: 'info' | 'error', message: string, fields?: Readonly<Record<string, string>>): Plan<void> {
  return performed({ effect: 'log', level, message, ...(fields === undefined ? {} : { fields }) }) as Plan<void>
}
