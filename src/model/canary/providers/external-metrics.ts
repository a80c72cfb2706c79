import {
  labelSelectorText,
  parseLabelSelector,
  parseQuantity,
  quantityNumber
} from '../../../lib/apimachinery/index.ts'
import { parseUrl, type GoUrl } from '../../../lib/golang/index.ts'
import { failureOfResponse } from '../api-failure.ts'
import { request, type Plan } from '../effects.ts'
import { StepFailed, wrapped } from '../failure.ts'
import { NoValues, type MetricProvider, type ProviderContext } from './provider.ts'

const GROUP = { group: 'external.metrics.k8s.io', version: 'v1beta1' } as const
const EXPECTED = 'expected <namespace>/<metricName>?labelSelector=<urlencoded label selectors>'
const ONLINE_METRIC = 'dummy-metric'

interface MetricQuery {
  readonly namespace: string
  readonly metric: string
  readonly selector: string
}

/**
 * The External Metrics API of the cluster: the first value.
 * @throws StepFailed for a server elsewhere, which is not modelled
 * @see fluxcd/flagger pkg/metrics/providers/externalmetrics.go 1.44.0
 */
export function externalMetricsProvider({ provider }: ProviderContext): MetricProvider {
  if (provider.address) throw new StepFailed('not modelled by rollout-twin: externalmetrics with an address')
  return {
    *query(_metric, text) {
      const query = parsedQuery(text)
      const [first] = yield* wrapped('error querying external metrics API: ', values(query))
      if (first === undefined) throw new NoValues('no external metrics found: no values found')
      const quantity = parseQuantity(first.value)
      return quantity === undefined ? 0 : quantityNumber(quantity)
    },
    *requireOnline() {
      const query = { namespace: 'kube-system', metric: ONLINE_METRIC, selector: '' }
      yield* wrapped('external metrics service unavailable: ', values(query))
    }
  }
}

function* values({ namespace, metric, selector }: MetricQuery): Plan<readonly { value?: unknown }[]> {
  const path = `/apis/${GROUP.group}/${GROUP.version}/namespaces/${namespace}/${metric}`
  const query = selector === '' ? {} : { query: { labelSelector: selector } }
  const response = yield* request({ method: 'GET', path, ...query })
  if (response.code >= 200 && response.code < 300)
    return (response.body as { items?: { value?: unknown }[] }).items ?? []
  const kind = { ...GROUP, plural: metric, kind: 'ExternalMetricValue' }
  throw new StepFailed(failureOfResponse(response, { verb: 'get', kind, name: '' }).message)
}

function parsedQuery(text: string): MetricQuery {
  const parsed = parseUrl(`dummy:///${text}`)
  if (!parsed.ok) throw malformed(`malformed query string, ${EXPECTED}, got ${text}`)
  const parts = pathOf(parsed.url).split('/')
  if (parts.length > 2) throw malformed(`malformed query string, too many slashes, ${EXPECTED}, got ${text}`)
  const metric = parts.at(-1) ?? ''
  const namespace = (parts.length === 2 ? parts[0] : '') || 'default'
  if (metric === '') throw malformed('metric name cannot be empty')
  const given = new URLSearchParams(parsed.url.query).get('labelSelector') ?? ''
  if (given === '') return { namespace, metric, selector: '' }
  const selector = parseLabelSelector(given)
  if (!selector.ok) throw malformed(`error parsing label selector from string ${given}: ${selector.message}`)
  return { namespace, metric, selector: labelSelectorText(selector.value) }
}

function pathOf({ path }: GoUrl): string {
  return Buffer.from(path, 'latin1').toString('utf8').replace(/^\//, '')
}

function malformed(text: string): StepFailed {
  return new StepFailed(`error parsing metric query: ${text}`)
}
