import type { ApiRequest, ApiResponse } from '../../kinds/index.ts'
import { type Instant, formatTimestamp } from '../../lib/time/index.ts'
import type { ControllerEvent } from '../../model/controllers/index.ts'
import { EventCorrelator } from './event-correlator.ts'

/** Most recent events whose repetitions are counted instead of stored again. */
const MAX_REMEMBERED = 4096

interface Remembered {
  readonly path: string
  readonly count: number
}

/**
 * Writes controllers' events as core/v1 Events; a repetition raises the count of the first one.
 * @see client-go/tools/record EventCorrelator, v0.36
 */
export class EventRecorder {
  readonly #send: (request: ApiRequest) => ApiResponse
  readonly #remembered = new Map<string, Remembered>()
  readonly #correlator = new EventCorrelator()
  #sequence = 0

  constructor(send: (request: ApiRequest) => ApiResponse) {
    this.#send = send
  }

  /** Stores an event that happened now. */
  record(original: ControllerEvent, now: Instant): void {
    const { event, key } = this.#correlator.correlate(original, now)
    if (event === undefined) return
    const known = this.#remembered.get(key)
    if (known !== undefined && this.#repeat(key, known, { message: event.message, now })) return
    const namespace = event.about.metadata.namespace ?? 'default'
    const path = `/api/v1/namespaces/${namespace}/events`
    const name = `${event.about.metadata.name}.${this.#suffix(now)}`
    const body = eventObject(event, { name, namespace, now })
    const headers = agentHeaders(event.component)
    const response = this.#send({ method: 'POST', path, headers, body, isGiven: true })
    // Refused events are dropped, as upstream drops them: a namespace on its way out takes no more.
    if (response.code >= 400) return
    this.#remember(key, { path: `${path}/${name}`, count: 1 })
  }

  #repeat(key: string, known: Remembered, last: { readonly message: string; readonly now: Instant }): boolean {
    const count = known.count + 1
    const response = this.#send({
      method: 'PATCH',
      path: known.path,
      headers: { ...agentHeaders(''), 'content-type': 'application/strategic-merge-patch+json' },
      body: { count, message: last.message, lastTimestamp: formatTimestamp(last.now) }
    })
    if (response.code >= 400) return false
    this.#remember(key, { path: known.path, count })
    return true
  }

  #remember(key: string, entry: Remembered): void {
    this.#remembered.delete(key)
    this.#remembered.set(key, entry)
    const oldest = this.#remembered.keys().next()
    if (this.#remembered.size > MAX_REMEMBERED && oldest.value !== undefined) this.#remembered.delete(oldest.value)
  }

  /** Sixteen hex digits: upstream's are the time in nanoseconds; a counter keeps them apart within one instant. */
  #suffix(now: Instant): string {
    this.#sequence++
    return (BigInt(Math.floor(now)) * 1_000_000n + BigInt(this.#sequence % 1_000_000)).toString(16).padStart(16, '0')
  }
}

function eventObject(
  event: ControllerEvent,
  place: { readonly name: string; readonly namespace: string; readonly now: Instant }
): object {
  const { about, type, reason, message, component, fieldPath, host, action } = event
  const { name, namespace, uid, resourceVersion } = about.metadata
  const time = formatTimestamp(place.now)
  const involvedObject = {
    apiVersion: about.apiVersion,
    kind: about.kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(fieldPath === undefined ? {} : { fieldPath })
  }
  const common = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: place.name, namespace: place.namespace },
    involvedObject,
    reason,
    message,
    type,
    reportingComponent: component
  }
  if (action !== undefined) {
    const fraction = String(Math.floor((place.now % 1000) * 1000)).padStart(6, '0')
    const eventTime = time.replace('Z', `.${fraction}Z`)
    return {
      ...common,
      action,
      eventTime,
      firstTimestamp: null,
      lastTimestamp: null,
      reportingInstance: `${component}-1`,
      source: {}
    }
  }
  return {
    ...common,
    count: 1,
    eventTime: null,
    firstTimestamp: time,
    lastTimestamp: time,
    reportingInstance: host ?? '',
    source: { component, ...(host === undefined ? {} : { host }) }
  }
}

function agentHeaders(component: string): Record<string, string> {
  const program =
    component === 'kubelet'
      ? 'kubelet'
      : component === 'default-scheduler'
        ? 'kube-scheduler'
        : 'kube-controller-manager'
  return { accept: 'application/json', 'content-type': 'application/json', 'user-agent': `${program}/v1.36.3` }
}
