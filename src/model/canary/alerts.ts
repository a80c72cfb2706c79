import type { AlertProvider, AlertSeverity, Canary, CanaryAlert } from '../../kinds/index.ts'
import { log, lookup, type HttpRequest, type Plan } from './effects.ts'
import { failureOf, outcomeOf, StepFailed } from './failure.ts'
import { requested, transportError } from './http.ts'
import { decodedSecret } from './metrics.ts'
import { notifierFor, unusableReceiver, type AlertField, type Receiver } from './notifiers/registry.ts'
import { getObject, RESOURCES } from './objects.ts'
import type { ControllerSettings } from './settings.ts'
import {
  deploymentStrategy,
  failedChecksThreshold,
  fullName,
  namespaceOf,
  progressDeadlineSeconds,
  targetFullName
} from './spec.ts'
import { goJson } from './webhooks.ts'

const TIMEOUT_MS = 5000

/** An alert. */
export interface Alert {
  readonly message: string
  readonly severity: Exclude<AlertSeverity, ''>
  /** Whether target, thresholds and routing are told with it; default false. */
  readonly withMetadata?: boolean
}

/**
 * Sends an alert to the canary's receivers, or to the global one if it has none. Failures are log lines only.
 * @see fluxcd/flagger pkg/controller/events.go alert 1.44.0
 */
export function* sendAlert(settings: ControllerSettings, canary: Canary, alert: Alert): Plan<void> {
  const cluster = settings.clusterName === '' ? [] : [{ name: 'Cluster', value: settings.clusterName }]
  const fields = [...cluster, ...(alert.withMetadata === true ? metadataFields(canary) : [])]
  const entries = canary.spec.analysis.alerts ?? []
  if (entries.length === 0) {
    // Flagger goes on without alerts where it refuses to make the global notifier.
    if (settings.globalReceiver === undefined || unusableReceiver(settings.globalReceiver) !== undefined) return
    const failure = yield* failureOf(post(canary, alert, fields, settings.globalReceiver))
    if (failure !== undefined) yield* log('error', `alert can't be sent: ${failure.message}`, fullName(canary))
    return
  }
  for (const entry of entries) {
    if (!matchesSeverity(settings, entry, alert.severity)) continue
    const failure = yield* failureOf(sendTo(canary, entry, alert, fields))
    if (failure !== undefined) yield* log('error', failure.message, fullName(canary))
  }
}

function matchesSeverity(settings: ControllerSettings, entry: CanaryAlert, severity: AlertSeverity): boolean {
  const asked = entry.severity || (settings.quirks['alert-without-severity-never-fires'] ? '' : 'info')
  return asked === 'info' || asked === severity || (asked === 'warn' && severity === 'error')
}

function* sendTo(canary: Canary, entry: CanaryAlert, alert: Alert, fields: readonly AlertField[]): Plan<void> {
  const namespace = entry.providerRef.namespace || namespaceOf(canary)
  const place = `alert provider ${entry.providerRef.name}.${namespace}`
  const provider = (yield* lookup('alertproviders', namespace, entry.providerRef.name)) as AlertProvider | undefined
  if (provider === undefined) {
    throw new StepFailed(
      `${place} error: alertprovider.flagger.app ${JSON.stringify(entry.providerRef.name)} not found`
    )
  }
  const receiver = yield* receiverOf(provider, namespace, place)
  const problem = unusableReceiver(receiver)
  if (problem !== undefined) throw new StepFailed(`${place} error: ${problem}`)
  const failure = yield* failureOf(post(canary, alert, fields, receiver))
  if (failure !== undefined) throw new StepFailed(`${place} send error: ${failure.message}`)
}

function* receiverOf({ spec }: AlertProvider, namespace: string, place: string): Plan<Receiver> {
  let url = spec.address ?? ''
  let token = ''
  if (spec.secretRef !== undefined) {
    const secretName = spec.secretRef.name
    const secret = yield* outcomeOf(getObject(RESOURCES.secrets, namespace, secretName))
    if (secret instanceof StepFailed) throw new StepFailed(`${place} secretRef error: ${secret.message}`)
    const data = decodedSecret(secret)
    if (data['address'] === undefined) throw new StepFailed(`${place} secret does not contain an address`)
    url = data['address']
    token = data['token'] ?? ''
  }
  const { type, proxy = '', username, channel } = spec
  return { type, url, token, proxy, username: username || 'flagger', channel: channel || 'general' }
}

/** A receiver without address is silent, as upstream. */
function* post(canary: Canary, alert: Alert, fields: readonly AlertField[], receiver: Receiver): Plan<void> {
  if (receiver.url === '') return
  const notifier = notifierFor(receiver)
  const title = fullName(canary)
  const payload = notifier.payload(
    { title, message: alert.message, fields, isError: alert.severity === 'error' },
    receiver
  )
  const { url } = notifier
  const authorization =
    notifier.sendsToken && receiver.token !== '' ? { authorization: `Bearer ${receiver.token}` } : {}
  const request: HttpRequest = {
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json', ...authorization },
    body: goJson(payload),
    timeoutMs: TIMEOUT_MS
  }
  const { type, proxy } = receiver
  const outcome = yield* requested(request, (one) => ({ effect: 'alert', receiver: type, proxy, request: one }))
  if (!outcome.ok) {
    const error = transportError(request, outcome)
    throw new StepFailed(`postMessage failed: sending notification failed to send: ${error}`)
  }
  if (outcome.status < 200 || outcome.status >= 300) {
    throw new StepFailed(`postMessage failed: sending notification bad response ${outcome.status}: ${outcome.body}`)
  }
}

function metadataFields(canary: Canary): AlertField[] {
  const routing = trafficRouting(canary)
  return [
    { name: 'Target', value: `${canary.spec.targetRef.kind}/${targetFullName(canary)}` },
    { name: 'Failed checks threshold', value: String(failedChecksThreshold(canary)) },
    { name: 'Progress deadline', value: `${progressDeadlineSeconds(canary)}s` },
    ...(routing === undefined ? [] : [{ name: 'Traffic routing', value: routing }])
  ]
}

function trafficRouting(canary: Canary): string | undefined {
  const { stepWeight = 0, stepWeights = [], maxWeight = 0 } = canary.spec.analysis
  const strategy = deploymentStrategy(canary)
  if (strategy === 'ab-testing') return 'A/B Testing'
  if (strategy === 'blue-green') return 'Blue/Green'
  if (stepWeight > 0) return `Weight step: ${stepWeight} max: ${maxWeight}`
  return stepWeights.length > 0 ? `Weight steps: ${stepWeights.join(',')} max: ${maxWeight}` : undefined
}
