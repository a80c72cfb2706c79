import { parseFloat64 } from '../../../lib/golang/index.ts'
import type { KubeObject } from '../../../kinds/index.ts'
import { now, randomText, request, sleep, type Plan } from '../effects.ts'
import { failureOf, StepFailed, wrapped } from '../failure.ts'
import type { MetricProvider } from './provider.ts'

const ROOT = '/apis/metrics.keptn.sh/v1beta1/namespaces'
const ANALYSIS_TIMEOUT_MS = 10_000
const POLL_MS = 1000
const FORMAT = '<keptnmetric|analysis>/<namespace>/<resourceName>/<duration>/<arguments>'

/**
 * Keptn: the value of a KeptnMetric, or the outcome of an Analysis made for the query.
 * @see fluxcd/flagger pkg/metrics/providers/keptn.go 1.44.0
 */
export function keptnProvider(): MetricProvider {
  return {
    *query(_metric, text) {
      const [kind = '', namespace, name, duration = '1m', given = ''] = text.toLowerCase().trim().split('/')
      if (namespace === undefined || name === undefined)
        throw new StepFailed(`unexpected query format. query must be in the format ${FORMAT}`)
      if (kind === 'keptnmetric' || kind === 'keptnmetrics') return yield* metricValue(namespace, name)
      if (kind !== 'analysis' && kind !== 'analyses')
        throw new StepFailed(
          "unexpected resource kind provided in the query. must be one of: ['keptnmetric', 'analysis']"
        )
      return yield* analysed({ namespace, name, duration, args: argumentsOf(given) })
    },
    // oxlint-disable-next-line require-yield -- Flagger does not ask either
    *requireOnline() {}
  }
}

function argumentsOf(text: string): Record<string, string> {
  const pairs = text.split(';').map((pair) => pair.split('='))
  return Object.fromEntries(pairs.filter((pair) => pair.length === 2) as [string, string][])
}

function* metricValue(namespace: string, name: string): Plan<number> {
  const place = `${namespace}/${name}`
  const reading = performed('GET', `${ROOT}/${namespace}/keptnmetrics/${name}`)
  const object = yield* wrapped(`could not retrieve KeptnMetric ${place}: `, reading)
  const value = (object.status as { value?: unknown } | undefined)?.value
  if (typeof value !== 'string')
    throw new StepFailed(`could not retrieve KeptnMetric - no value found in resource ${place}`)
  const parsed = parseFloat64(value)
  if (!parsed.ok) throw new StepFailed(`could not parse value of KeptnMetric ${place} to float: ${parsed.error}`)
  return parsed.value
}

interface Analysis {
  readonly namespace: string
  readonly name: string
  readonly duration: string
  readonly args: Readonly<Record<string, string>>
}

function* analysed(analysis: Analysis): Plan<number> {
  const { namespace, name, duration, args } = analysis
  const place = `${namespace}/${name}`
  const metadata = { name: `${name}-${(yield* randomText('uuid')).slice(0, 6)}`, namespace }
  const spec = { analysisDefinition: { name }, timeframe: { recent: duration }, args }
  const body = { apiVersion: 'metrics.keptn.sh/v1beta1', kind: 'Analysis', metadata, spec }
  const creating = performed('POST', `${ROOT}/${namespace}/analyses`, body)
  const created = yield* wrapped(`could not create Keptn Analysis ${place}: `, creating)
  const path = `${ROOT}/${namespace}/analyses/${created.metadata.name}`
  let value = 0
  const failure = yield* failureOf(
    (function* () {
      value = yield* outcomeOf(path, place)
    })()
  )
  yield* failureOf(performed('DELETE', path))
  if (failure !== undefined) throw failure
  return value
}

/** Asked for every second, for ten. */
function* outcomeOf(path: string, place: string): Plan<number> {
  const end = (yield* now()) + ANALYSIS_TIMEOUT_MS
  for (;;) {
    yield* sleep(POLL_MS)
    if ((yield* now()) >= end)
      throw new StepFailed(`encountered timeout while waiting for Keptn Analysis ${place} to be finished`)
    const reading = performed('GET', path)
    const object = yield* wrapped(`could not check status of created Keptn Analysis ${place}: `, reading)
    const { state, pass } = (object.status ?? {}) as { state?: string; pass?: boolean }
    if (state === 'Completed' && pass !== undefined) return pass ? 1 : 0
  }
}

/** The dynamic client's errors do not name what was asked for. */
function* performed(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Plan<KubeObject> {
  const response = yield* request({ method, path, ...(body === undefined ? {} : { body }) })
  if (response.code >= 200 && response.code < 300) return response.body as KubeObject
  const generic = 'the server could not find the requested resource'
  const message = typeof response.body === 'string' ? generic : (response.body as { message?: string }).message
  throw new StepFailed(message ?? generic)
}
