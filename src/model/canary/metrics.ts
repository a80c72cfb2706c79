import type { Canary, CanaryMetric, KubeObject, MetricTemplate } from '../../kinds/index.ts'
import type { MetricEvidence, ReasonCode } from '../../trace/index.ts'
import { lookup, log, type Plan } from './effects.ts'
import { decide, recordError, recordInfo, recordWarning } from './events.ts'
import { failureOf, outcomeOf, pure, StepFailed, wrapped } from './failure.ts'
import { setAnalysis } from './gauges.ts'
import { goSeconds } from './go-format.ts'
import { getObject, RESOURCES } from './objects.ts'
import { OBSERVERS, type ObserverQueries } from './observers.data.ts'
import { plainProvider } from './providers/prometheus.ts'
import { NoValues, type MetricProvider } from './providers/provider.ts'
import { providerFor } from './providers/registry.ts'
import type { ControllerSettings } from './settings.ts'
import { fullName, namespaceOf, targetFullName } from './spec.ts'
import { queryModel, renderQuery, type QueryModel } from './template.ts'
import { durationOf, durationViolation, metricViolation, successRateViolation } from './thresholds.ts'

const SUCCESS_RATE = 'request-success-rate'
const DURATION = 'request-duration'
const DEFAULT_INTERVAL = '1m'
/**
 * Asks every server that the metrics need whether it answers; run while a canary is initialised.
 * @see fluxcd/flagger pkg/controller/scheduler_metrics.go checkMetricProviderAvailability 1.44.0
 */
export function* probeMetricProviders(settings: ControllerSettings, canary: Canary): Plan<void> {
  const failure = yield* failureOf(probeAll(settings, canary))
  if (failure === undefined) return yield* recordInfo(settings, canary, 'all the metrics providers are available!')
  yield* recordError(settings, canary, `Error checking metric providers: ${failure.message}`)
}

/**
 * Checks builtin and inline metrics, in list order.
 * @returns whether all are within their bounds
 * @see fluxcd/flagger pkg/controller/scheduler_metrics.go runBuiltinMetricChecks 1.44.0
 */
export function* builtinMetricsPass(settings: ControllerSettings, canary: Canary): Plan<boolean> {
  const key = metricsProvider(settings, canary)
  const server = canary.spec.metricsServer || settings.metricsServer
  const unusable = yield* failureOf(pure(() => plainProvider(server)))
  if (unusable !== undefined) {
    yield* recordError(settings, canary, `Error building Prometheus client for ${server} ${unusable.message}`)
    return false
  }
  const observer = observerFor(key)
  for (const metric of canary.spec.analysis.metrics ?? []) {
    const model = modelFor(canary, metric, metric.interval || DEFAULT_INTERVAL, observer)
    const check: Check = { settings, canary, metric, server, key }
    if (metric.name === SUCCESS_RATE && runsBuiltin(settings, metric)) {
      if (!(yield* successRatePasses(check, observer, model))) return false
    }
    if (metric.name === DURATION && runsBuiltin(settings, metric)) {
      if (!(yield* durationPasses(check, observer, model))) return false
    }
    if (metric.query && !(yield* inlinePasses(check, modelFor(canary, metric, metric.interval || DEFAULT_INTERVAL))))
      return false
  }
  return true
}

/**
 * Checks metrics with a template, in list order.
 * @returns whether all are within their bounds
 * @see fluxcd/flagger pkg/controller/scheduler_metrics.go runMetricChecks 1.44.0
 */
export function* templateMetricsPass(settings: ControllerSettings, canary: Canary): Plan<boolean> {
  for (const metric of canary.spec.analysis.metrics ?? []) {
    const check: Check = { settings, canary, metric, server: '', key: '' }
    if (metric.templateRef !== undefined) {
      if (!(yield* templatePasses(check, metric.templateRef))) return false
    } else if (metric.name !== SUCCESS_RATE && metric.name !== DURATION && !metric.query) {
      const message = 'Metric query failed for no usable metrics template and query were configured'
      yield* halted(check, 'halt-metric-error', message, { query: '' })
      yield* recordError(settings, canary, message)
      return false
    }
  }
  return true
}

interface Check {
  readonly settings: ControllerSettings
  readonly canary: Canary
  readonly metric: CanaryMetric
  readonly server: string
  /** The provider's name as event texts show it. */
  readonly key: string
}

function runsBuiltin(settings: ControllerSettings, metric: CanaryMetric): boolean {
  return settings.quirks['builtin-name-with-template-runs-both'] || metric.templateRef === undefined
}

function* probeAll(settings: ControllerSettings, canary: Canary): Plan<void> {
  for (const metric of canary.spec.analysis.metrics ?? []) {
    if (metric.name === SUCCESS_RATE || metric.name === DURATION) {
      const server = canary.spec.metricsServer || settings.metricsServer
      const building = pure(() => plainProvider(server))
      const client = yield* wrapped(`error building Prometheus client for ${server} `, building)
      yield* wrapped('prometheus not avaiable: ', client.requireOnline())
    } else if (metric.templateRef !== undefined) {
      yield* probeTemplate(settings, canary, metric, metric.templateRef)
    }
  }
}

function* probeTemplate(
  settings: ControllerSettings,
  canary: Canary,
  metric: CanaryMetric,
  reference: NonNullable<CanaryMetric['templateRef']>
): Plan<void> {
  const namespace = reference.namespace || namespaceOf(canary)
  const template = yield* readTemplate(reference.name, namespace, 'metric template')
  const interval = metric.interval ?? ''
  const client = yield* clientFor(settings, { template, namespace, interval, what: 'metric template' })
  const failure = yield* failureOf(client.requireOnline())
  if (failure === undefined) return
  const place = `${template.metadata.name}.${namespace}`
  throw new StepFailed(`${template.spec.provider.type} in metric template ${place} not avaiable: ${failure.message}`)
}

function* readTemplate(name: string, namespace: string, what: string): Plan<MetricTemplate> {
  const template = yield* lookup('metrictemplates', namespace, name)
  if (template !== undefined) return template as MetricTemplate
  throw new StepFailed(
    `${what} ${name}.${namespace} error: metrictemplate.flagger.app ${JSON.stringify(name)} not found`
  )
}

interface TemplateUse {
  readonly template: MetricTemplate
  readonly namespace: string
  /** Interval of the metric; `''` where it has none. */
  readonly interval: string
  /** How texts call the template. */
  readonly what: string
}

function* clientFor(settings: ControllerSettings, use: TemplateUse): Plan<MetricProvider> {
  const { template, namespace, interval, what } = use
  const { provider } = template.spec
  const place = `${what} ${template.metadata.name}.${namespace}`
  let credentials: Record<string, string> = {}
  if (provider.secretRef !== undefined) {
    const { name } = provider.secretRef
    const secret = yield* getObject(RESOURCES.secrets, namespace, name, `${place} secret ${name} error: `)
    credentials = decodedSecret(secret)
  }
  const nextValues = (): number => gatheredHeaders(settings, template)
  const making = pure(() => providerFor({ provider, credentials, interval, nextValues }))
  return yield* wrapped(`${place} provider ${provider.type} error: `, making)
}

/** Upstream adds the token to the headers of the cached template itself, once per query. */
function gatheredHeaders({ quirks, gatheredHeaders: counts }: ControllerSettings, template: MetricTemplate): number {
  if (!quirks['template-authorization-accumulates']) return 1
  const count = (counts.get(template) ?? 0) + 1
  counts.set(template, count)
  return count
}

/** Data of a secret as text. */
export function decodedSecret(secret: KubeObject): Record<string, string> {
  const data = (secret['data'] ?? {}) as Record<string, string>
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')])
  )
}

/**
 * Name of the provider whose builtin queries are used.
 * @see fluxcd/flagger pkg/controller/scheduler_metrics.go runBuiltinMetricChecks 1.44.0
 */
function metricsProvider({ meshProvider }: ControllerSettings, canary: Canary): string {
  let key = meshProvider.includes('crossover') ? 'crossover' : meshProvider
  if (canary.spec.provider) key = meshProvider.includes('linkerd') ? 'linkerd' : canary.spec.provider
  return canary.spec.targetRef.kind === 'Service' ? `${key}:service` : key
}

function observerFor(key: string): ObserverQueries {
  if (key.startsWith('appmesh')) return OBSERVERS.appmesh
  if (key.startsWith('gloo')) return OBSERVERS.gloo
  if (key === 'kubernetes' || key.startsWith('gatewayapi')) return OBSERVERS.http
  const named: Readonly<Record<string, ObserverQueries>> = OBSERVERS
  return key === 'http' ? OBSERVERS.istio : (named[key] ?? OBSERVERS.istio)
}

function modelFor(canary: Canary, metric: CanaryMetric, interval: string, observer?: ObserverQueries): QueryModel {
  const model = queryModel(canary, interval, metric.templateVariables)
  if (observer?.wordCharactersOnly !== true) return model
  const words = (text: string): string => text.replaceAll(/\W/g, '_')
  const { ingress, name, namespace, service, target } = model
  return {
    ...model,
    ingress: words(ingress),
    name: words(name),
    namespace: words(namespace),
    service: words(service),
    target: words(target)
  }
}

function* successRatePasses(check: Check, observer: ObserverQueries, model: QueryModel): Plan<boolean> {
  const { canary, metric, key } = check
  const query = renderQuery(observer.successRate, model)
  const measured = yield* outcomeOf(plainProvider(check.server).query(metric.name, query))
  if (measured instanceof StepFailed) {
    const error = `${observer.bareErrors === true ? '' : 'running query failed: '}${measured.message}`
    const noValues =
      `Halt advancement no values found for ${key} metric ${metric.name} probably ${targetFullName(canary)} ` +
      `is not receiving traffic: ${error}`
    return yield* noMeasurement(check, measured, query, { noValues, failed: `Prometheus query failed: ${error}` })
  }
  yield* setAnalysis(canary, metric.name, measured)
  return yield* withinBounds(check, query, measured, successRateViolation(canary, metric, measured))
}

function* durationPasses(check: Check, observer: ObserverQueries, model: QueryModel): Plan<boolean> {
  const { settings, canary, metric, key } = check
  const query = renderQuery(observer.duration, model)
  const measured = yield* outcomeOf(plainProvider(check.server).query(metric.name, query))
  if (measured instanceof StepFailed) {
    const noValues =
      `Halt advancement no values found for ${key} metric ${metric.name} probably ${targetFullName(canary)} ` +
      'is not receiving traffic'
    const failed = `Prometheus query failed: running query failed: ${measured.message}`
    return yield* noMeasurement(check, measured, query, { noValues, failed })
  }
  const ms = durationOf(measured, observer.durationUnitMs, settings.quirks)
  yield* setAnalysis(canary, metric.name, goSeconds(ms))
  return yield* withinBounds(check, query, ms, durationViolation(canary, metric, ms, settings.quirks))
}

/** A template that does not render is overwritten by the result of its empty query, as upstream. */
function* inlinePasses(check: Check, model: QueryModel): Plan<boolean> {
  const { canary, metric } = check
  let query = ''
  yield* failureOf(
    pure(() => {
      query = renderQuery(metric.query ?? '', model)
    })
  )
  const measured = yield* outcomeOf(plainProvider(check.server).query(metric.name, query))
  if (measured instanceof StepFailed) {
    const noValues = `Halt advancement no values found for metric: ${metric.name}`
    const failed = `Prometheus query failed for ${metric.name}: ${measured.message}`
    return yield* noMeasurement(check, measured, query, { noValues, failed })
  }
  yield* setAnalysis(canary, metric.name, measured)
  return yield* withinBounds(check, query, measured, metricViolation(canary, metric, measured))
}

function* templatePasses(check: Check, reference: NonNullable<CanaryMetric['templateRef']>): Plan<boolean> {
  const { settings, canary, metric } = check
  const prepared = yield* outcomeOf(templateQuery(check, reference))
  if (prepared instanceof StepFailed) {
    yield* halted(check, 'halt-metric-error', prepared.message, { query: '' })
    yield* recordError(settings, canary, prepared.message)
    return false
  }
  const { client, query } = prepared
  const measured = yield* outcomeOf(client.query(metric.name, query))
  if (measured instanceof StepFailed) {
    const noValues = `Halt advancement no values found for custom metric: ${metric.name}: ${measured.message}`
    const failed = `Metric query failed for ${metric.name}: ${measured.message}`
    return yield* noMeasurement(check, measured, query, { noValues, failed })
  }
  yield* setAnalysis(canary, metric.name, measured)
  return yield* withinBounds(check, query, measured, metricViolation(canary, metric, measured))
}

interface TemplateQuery {
  readonly client: MetricProvider
  readonly query: string
}

function* templateQuery(
  { settings, canary, metric }: Check,
  reference: NonNullable<CanaryMetric['templateRef']>
): Plan<TemplateQuery> {
  const namespace = reference.namespace || namespaceOf(canary)
  const template = yield* readTemplate(reference.name, namespace, 'Metric template')
  const interval = metric.interval || (settings.quirks['template-interval-has-no-default'] ? '' : DEFAULT_INTERVAL)
  const client = yield* clientFor(settings, { template, namespace, interval, what: 'Metric template' })
  const place = `Metric template ${reference.name}.${namespace}`
  const query = yield* outcomeOf(pure(() => renderQuery(template.spec.query, modelFor(canary, metric, interval))))
  const isRendered = !(query instanceof StepFailed)
  yield* log('debug', `${place} query: ${isRendered ? query : ''}`, fullName(canary))
  if (!isRendered) throw new StepFailed(`${place} query render error: ${query.message}`)
  return { client, query }
}

function* noMeasurement(
  check: Check,
  failure: StepFailed,
  query: string,
  texts: { readonly noValues: string; readonly failed: string }
): Plan<false> {
  const { settings, canary } = check
  if (failure instanceof NoValues) {
    yield* halted(check, 'halt-no-values', texts.noValues, { query })
    yield* recordWarning(settings, canary, texts.noValues)
  } else {
    yield* halted(check, 'halt-metric-error', texts.failed, { query })
    yield* recordError(settings, canary, texts.failed)
  }
  return false
}

function* withinBounds(check: Check, query: string, value: number, violation: string | undefined): Plan<boolean> {
  if (violation === undefined) return true
  yield* halted(check, 'halt-metric', violation, { query, value })
  yield* recordWarning(check.settings, check.canary, violation)
  return false
}

/** Tells the trace why the tick halts, with query, value and bounds. */
function* halted(
  check: Check,
  reason: ReasonCode,
  message: string,
  { query, value }: { readonly query: string; readonly value?: number }
): Plan<void> {
  const { metric } = check
  const { min, max } = metric.thresholdRange ?? legacyRange(metric)
  const evidence: MetricEvidence = {
    metric: metric.name,
    query,
    ...(value === undefined ? {} : { value }),
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max })
  }
  yield* decide(check.canary, reason, message, [evidence])
}

function legacyRange(metric: CanaryMetric): { min?: number; max?: number } {
  const threshold = metric.threshold ?? 0
  return metric.name === SUCCESS_RATE ? { min: threshold } : { max: threshold }
}
