import { describe, expect, test } from 'vitest'
import { randomStream } from '../../../src/lib/random/index.ts'
import { VirtualClock } from '../../../src/lib/time/index.ts'
import type { Canary, KubeObject } from '../../../src/kinds/index.ts'
import {
  parseFlags,
  resolveSettings,
  startLocalController,
  type HttpEffect,
  type HttpOutcome
} from '../../../src/world/controller/index.ts'
import { prometheusAnswer } from '../../conformance/golden/answers.ts'
import { Environment, START } from '../../conformance/golden/environment.ts'
import { image, smallCase, type CaseOptions } from '../../model/canary/quirk-cases.ts'

/** What a server does with the controller's request; a number answers with that status, `hang` never. */
type Answer = number | 'hang' | HttpOutcome
type Answers = Readonly<Partial<Record<HttpEffect['effect'], Answer>>>

interface Outcome {
  /** Reason why the API refused the canary. */
  readonly refusal: string
  /** Messages of Warning events. */
  readonly warnings: readonly string[]
  /** Lines of level error that are no event. */
  readonly errors: readonly string[]
  readonly phase: string
  readonly ticks: number
}

interface Given extends CaseOptions {
  readonly http?: Answers
  /** Members of the canary itself that stand in place of its own. */
  readonly whole?: Readonly<Record<string, unknown>>
  /** Done before the canary is created. */
  readonly before?: (environment: Environment) => void
}

const FAILED: HttpOutcome = { ok: false, error: 'dial tcp: lookup nowhere.test: no such host' }

function body(text: string): HttpOutcome {
  return { ok: true, status: 200, body: text, headers: {} }
}

function answerOf(effect: HttpEffect, answers: Answers): Answer {
  const given = answers[effect.effect]
  if (given !== undefined && !(effect.effect === 'query' && effect.metric === 'probe')) return given
  return effect.effect === 'query' ? prometheusAnswer(effect.query === 'vector(1)' ? 1 : 100) : 200
}

/** Runs a canary and, once it is initialised, a new version, for three simulated minutes. */
function outcomeOf(given: Given): Outcome {
  const clock = new VirtualClock(START)
  const golden = smallCase(given)
  const environment = new Environment(golden, clock)
  given.before?.(environment)
  environment.settle()
  const warnings: string[] = []
  const errors: string[] = []
  let ticks = 0
  startLocalController({
    settings: resolveSettings({ flags: parseFlags(golden.flags ?? []) }),
    timeline: clock,
    api: environment.api,
    random: randomStream(1, 'bad input'),
    http: (effect, _context, done) => {
      const answer = answerOf(effect, given.http ?? {})
      if (answer === 'hang') {
        const error = `context deadline exceeded${effect.effect === 'webhook' ? ' (Client.Timeout exceeded while awaiting headers)' : ''}`
        clock.at(clock.now() + effect.request.timeoutMs, () => done({ ok: false, error }))
      } else done(typeof answer === 'number' ? { ok: true, status: answer, body: 'said no', headers: {} } : answer)
    },
    onTick: (moment) => {
      if (moment === 'end') ticks++
    },
    onEffect: (effect) => {
      if (effect.effect === 'event' && effect.type === 'Warning') warnings.push(effect.message)
      if (effect.effect === 'log' && effect.level === 'error') errors.push(effect.message)
    }
  })
  const created = environment.create({ ...golden.canary, ...given.whole }, 'test')
  const refusal = created.code < 300 ? '' : (created.body as { message: string }).message
  const read = (): Canary | undefined =>
    environment.api.get('flagger.app', 'canaries', 'test', 'podinfo') as Canary | undefined
  let changed = false
  for (let second = 0; second <= 180; second++) {
    clock.runUntil(START + second * 1000)
    environment.settle()
    if (changed || read()?.status?.phase !== 'Initialized') continue
    changed = true
    environment.send({
      method: 'PATCH',
      path: '/apis/apps/v1/namespaces/test/deployments/podinfo',
      headers: { 'content-type': 'application/strategic-merge-patch+json' },
      body: image('2.0.0').patch?.body
    })
  }
  return { refusal, warnings, errors, phase: read()?.status?.phase ?? '', ticks }
}

function spec(part: Readonly<Record<string, unknown>>): Given {
  return { spec: part }
}

function analysis(part: Readonly<Record<string, unknown>>, more: Given = {}): Given {
  return { ...more, analysis: part }
}

function hook(type: string, http: Answer, more: Readonly<Record<string, unknown>> = {}): Given {
  return analysis({ webhooks: [{ name: 'h', type, url: 'http://hook.test/', ...more }] }, { http: { webhook: http } })
}

function metric(part: Readonly<Record<string, unknown>>, answer?: Answer): Given {
  const metrics = [{ name: 'm', interval: '1m', thresholdRange: { min: 99 }, ...part }]
  return analysis({ metrics }, answer === undefined ? {} : { http: { query: answer } })
}

function template(part: Readonly<Record<string, unknown>>): Given {
  const object = {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'MetricTemplate',
    metadata: { name: 't' },
    spec: { provider: { type: 'prometheus', address: 'http://prometheus.test' }, query: 'q', ...part }
  }
  return { ...metric({ templateRef: { name: 't' } }), manifests: [object] }
}

function alertTo(part: KubeObject['spec'], http: Answer = 200): Given {
  const object = { apiVersion: 'flagger.app/v1beta1', kind: 'AlertProvider', metadata: { name: 'a' }, spec: part }
  const alerts = [{ name: 'x', severity: 'info', providerRef: { name: 'a' } }]
  return analysis({ alerts }, { manifests: [object], http: { alert: http } })
}

const TEMPLATE = { templateRef: { name: 'success-rate' } }
const SCALER = { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', name: 'podinfo' }
const KNATIVE = { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'podinfo' }
const INVALID = "Unhandled Error: error syncing 'test/podinfo': invalid canary spec: "
const PROBE = 'Error checking metric providers: '

describe('the API refuses, and nothing is scheduled', () => {
  test.each<[string, Given, string]>([
    [
      'two strategies at once',
      analysis({ iterations: 2, stepWeight: 10 }),
      '"spec.analysis" must validate one and only one schema (oneOf). Found 2 valid alternatives'
    ],
    ['an interval in hours', analysis({ interval: '1h' }), 'spec.analysis.interval: Invalid value: "1h"'],
    ['an unknown provider', spec({ provider: 'ambient' }), 'spec.provider: Unsupported value: "ambient"'],
    ['no target', spec({ targetRef: undefined }), 'spec.targetRef: Required value'],
    [
      'an unknown kind of target',
      spec({ targetRef: { apiVersion: 'v1', kind: 'Pod', name: 'x' } }),
      'spec.targetRef.kind: Unsupported value: "Pod"'
    ],
    ['a service without port', spec({ service: {} }), 'spec.service.port: Required value'],
    ['a text as threshold', analysis({ threshold: '3' }), 'spec.analysis.threshold: Invalid value: "string"'],
    ['an unknown hook type', hook('before', 200), 'spec.analysis.webhooks[0].type: Unsupported value: "before"'],
    [
      'an unknown severity',
      analysis({ alerts: [{ name: 'x', severity: 'fatal', providerRef: { name: 'a' } }] }),
      'spec.analysis.alerts[0].severity: Unsupported value: "fatal"'
    ],
    [
      'a cookie without name',
      analysis({ sessionAffinity: {} }),
      'spec.analysis.sessionAffinity.cookieName: Required value'
    ]
  ])('%s', (_name, given, text) => {
    const outcome = outcomeOf(given)
    expect(outcome.refusal).toContain(text)
    expect(outcome).toMatchObject({ ticks: 0, warnings: [], errors: [] })
  })
})

describe('the worker refuses, and nothing is scheduled', () => {
  const strict = { flags: ['-no-cross-namespace-refs'] }
  test.each<[string, Given, string]>([
    [
      'a foreign template',
      { ...metric({ templateRef: { name: 't', namespace: 'other' } }), ...strict },
      `${INVALID}can't access metric template t.other, cross-namespace references are blocked`
    ],
    [
      'a foreign alert provider',
      { ...analysis({ alerts: [{ name: 'x', providerRef: { name: 'a', namespace: 'other' } }] }), ...strict },
      `${INVALID}can't access alert provider a.other, cross-namespace references are blocked`
    ],
    [
      'a foreign upstream',
      { ...spec({ upstreamRef: { apiVersion: 'v1', kind: 'Upstream', name: 'u', namespace: 'other' } }), ...strict },
      `${INVALID}can't access gloo upstream u.other, cross-namespace references are blocked`
    ],
    [
      'one name for both cookies',
      analysis({ sessionAffinity: { cookieName: 'c', primaryCookieName: 'c' } }),
      `${INVALID}can't use the same cookie name for both primary and cookie name; please update them to be different`
    ],
    [
      'provider knative with a Deployment',
      spec({ provider: 'knative' }),
      `${INVALID}can't use apps/v1/Deployment as target if provider is set to knative`
    ],
    [
      'a Knative Service with another provider',
      spec({ provider: 'istio', targetRef: KNATIVE }),
      `${INVALID}can't use istio provider with Knative Service as target`
    ],
    [
      'a Knative Service with an autoscaler',
      spec({ provider: 'knative', targetRef: KNATIVE, autoscalerRef: SCALER }),
      `${INVALID}can't use autoscaler with Knative Service`
    ]
  ])('%s', (_name, given, text) => {
    expect(outcomeOf(given)).toMatchObject({ refusal: '', ticks: 0, warnings: [], errors: [text] })
  })
})

describe('a Warning on every tick', () => {
  const deployment = (patch: unknown) => ({
    before: (environment: Environment): void => {
      environment.send({
        method: 'PATCH',
        path: '/apis/apps/v1/namespaces/test/deployments/podinfo',
        headers: { 'content-type': 'application/strategic-merge-patch+json' },
        body: patch
      })
    }
  })
  const container = (part: unknown): Given =>
    deployment({ spec: { template: { spec: { containers: [{ name: 'podinfod', ...(part as object) }] } } } })
  test.each<[string, Given, string]>([
    [
      'no target',
      { withoutDeployment: true },
      'deployment podinfo.test get query error: deployments.apps "podinfo" not found'
    ],
    [
      'a DaemonSet that is not there',
      spec({ targetRef: { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'podinfo' } }),
      'daemonset podinfo.test get query error: daemonsets.apps "podinfo" not found'
    ],
    [
      'a target without selector label',
      { labels: { tier: 'web' } },
      'getSelectorLabel failed: deployment podinfo.test spec.selector.matchLabels must contain one of [app name app.kubernetes.io/name]'
    ],
    [
      'an autoscaler that is not there',
      spec({ autoscalerRef: SCALER }),
      'HorizontalPodAutoscaler podinfo.test get query error: horizontalpodautoscalers.autoscaling "podinfo" not found'
    ],
    [
      'a ConfigMap that is not there',
      container({ envFrom: [{ configMapRef: { name: 'x' } }] }),
      'createPrimaryDeployment failed: GetTargetConfigs failed: configmap x.test get query error: configmap x.test get query error: configmaps "x" not found'
    ],
    [
      'a Secret that is not there',
      container({ envFrom: [{ secretRef: { name: 'x' } }] }),
      'createPrimaryDeployment failed: GetTargetConfigs failed: secret x.test get query error: secret x.test get query error: secrets "x" not found'
    ],
    [
      'Gateway API without gateways',
      { provider: 'gatewayapi:v1' },
      'GatewayRefs must be specified when using Gateway API as a provider.'
    ],
    ['appmesh', { provider: 'appmesh' }, 'mesh provider appmesh: not modelled by rollout-twin'],
    ['appmesh:v1beta2', { provider: 'appmesh:v1beta2' }, 'mesh provider appmesh:v1beta2: not modelled by rollout-twin'],
    ['apisix', { provider: 'apisix' }, 'mesh provider apisix: not modelled by rollout-twin'],
    [
      'knative',
      spec({ provider: 'knative', targetRef: KNATIVE }),
      'target kind Knative Service: not modelled by rollout-twin'
    ],
    ['knative as the flag', { provider: 'knative' }, 'mesh provider knative: not modelled by rollout-twin'],
    [
      'a target without name',
      spec({ targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: '' } }),
      'deployment .test get query error: resource name may not be empty'
    ],
    [
      'a target whose name is a path',
      spec({ targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a/b' } }),
      'deployment a/b.test get query error: invalid resource name "a/b": [may not contain \'/\']'
    ],
    ['no service', spec({ service: undefined }), 'reconcileService failed: service podinfo-canary.test create error: ']
  ])('%s', (_name, given, text) => {
    const { warnings, ticks, refusal } = outcomeOf(given)
    expect([refusal, ticks > 10]).toEqual(['', true])
    // The first tick may have waited for the primary.
    expect(warnings.filter((message) => message.startsWith(text)).length).toBeGreaterThanOrEqual(ticks - 1)
  })

  test.each<[string, Given, string]>([
    [
      'a template that is not there',
      metric({ templateRef: { name: 'x' } }),
      `${PROBE}metric template x.test error: metrictemplate.flagger.app "x" not found`
    ],
    [
      'a Secret of a template that is not there',
      template({ provider: { type: 'prometheus', address: 'http://p.test', secretRef: { name: 'x' } } }),
      `${PROBE}metric template t.test secret x error: secrets "x" not found`
    ],
    [
      'a server of another kind without its keys',
      template({ provider: { type: 'datadog' } }),
      `${PROBE}metric template t.test provider datadog error: datadog credentials does not contain datadog_api_key`
    ],
    [
      'a server without address',
      template({ provider: { type: 'prometheus' } }),
      `${PROBE}metric template t.test provider prometheus error: prometheus address  is not a valid URL`
    ]
  ])('%s is told while the canary is initialised, which it is all the same', (_name, given, text) => {
    const { warnings, phase } = outcomeOf(given)
    expect(warnings[0]).toBe(text)
    expect(phase).not.toMatch(/Initializing/)
  })
})

describe('a failed check, and a rollback after three', () => {
  const halt = 'Halt podinfo.test advancement'
  test.each<[string, Given, string]>([
    [
      'no JSON',
      metric(TEMPLATE, body('<html>')),
      "Metric query failed for m: error unmarshaling result: invalid character '<' looking for beginning of value, '<html>'"
    ],
    [
      'an empty body',
      metric(TEMPLATE, body('')),
      "Metric query failed for m: error unmarshaling result: unexpected end of JSON input, ''"
    ],
    [
      'no result',
      metric(TEMPLATE, prometheusAnswer('empty')),
      'Halt advancement no values found for custom metric: m: no values found'
    ],
    [
      'NaN',
      metric(TEMPLATE, prometheusAnswer('NaN')),
      'Halt advancement no values found for custom metric: m: no values found'
    ],
    [
      'a matrix',
      metric(TEMPLATE, prometheusAnswer({ matrix: '1' })),
      'Metric query failed for m: query returned multiple values'
    ],
    [
      'no number',
      metric(TEMPLATE, prometheusAnswer('many')),
      'Metric query failed for m: strconv.ParseFloat: parsing "many": invalid syntax'
    ],
    [
      'a status 503',
      metric(TEMPLATE, 503),
      'Metric query failed for m: error response: Status 503 Service Unavailable: said no'
    ],
    [
      'a server that cannot be reached',
      metric(TEMPLATE, FAILED),
      'Metric query failed for m: request failed: Get "http://prometheus.test/api/v1/query?query=requests_ok%5B1m%5D": dial tcp: lookup nowhere.test: no such host'
    ],
    [
      'a server that never answers',
      metric(TEMPLATE, 'hang'),
      'Metric query failed for m: request failed: Get "http://prometheus.test/api/v1/query?query=requests_ok%5B1m%5D": context deadline exceeded'
    ],
    [
      'neither template nor query',
      metric({}),
      'Metric query failed for no usable metrics template and query were configured'
    ],
    [
      'an unknown function in a template',
      template({ query: 'up{a="{{ nothing }}"}' }),
      'Metric template t.test query render error: template parsing failed: template: tmpl:1: function "nothing" not defined'
    ],
    [
      'a variable that is not set',
      template({ query: 'up{a="{{ variables.x }}"}' }),
      'Metric template t.test query render error: '
    ],
    [
      'a template cut off',
      template({ query: 'up{{ name ' }),
      'Metric template t.test query render error: template parsing failed: template: tmpl:1: unclosed action'
    ],
    ['a hook that says no', hook('rollout', 403), `${halt} external check h failed said no`],
    [
      'a hook that cannot be reached',
      hook('rollout', FAILED),
      `${halt} external check h failed POST http://hook.test/ giving up after 1 attempt(s): Post "http://hook.test/": dial tcp: lookup nowhere.test: no such host`
    ],
    [
      'a hook that never answers',
      hook('pre-rollout', 'hang', { timeout: '3s' }),
      `${halt} pre-rollout check h failed POST http://hook.test/ giving up after 1 attempt(s): Post "http://hook.test/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`
    ],
    [
      'a hook that breaks, after its retries',
      hook('pre-rollout', 502, { retries: 2 }),
      `${halt} pre-rollout check h failed POST http://hook.test/ giving up after 3 attempt(s)`
    ],
    [
      'a hook without scheme',
      hook('rollout', 200, { url: 'hook.test' }),
      `${halt} external check h failed POST hook.test giving up after 1 attempt(s): Post "hook.test": unsupported protocol scheme ""`
    ],
    [
      'a time-out without unit',
      hook('pre-rollout', 200, { timeout: '5sx' }),
      `${halt} pre-rollout check h failed time: unknown unit "sx" in duration "5sx"`
    ]
  ])('%s', (_name, given, text) => {
    const { warnings, phase } = outcomeOf(given)
    expect(warnings.filter((message) => message.startsWith(text))).toHaveLength(3)
    expect(warnings.slice(-2)).toEqual([
      'Rolling back podinfo.test failed checks threshold reached 3',
      'Canary failed! Scaling down podinfo.test'
    ])
    expect(phase).toBe('Failed')
  })
})

describe('an alert that cannot be sent is a line of the log, and the release goes on', () => {
  const address = 'http://slack.test/x'
  test.each<[string, Given, string]>([
    [
      'no provider',
      analysis({ alerts: [{ name: 'x', severity: 'info', providerRef: { name: 'a' } }] }),
      'alert provider a.test error: alertprovider.flagger.app "a" not found'
    ],
    [
      'no Secret',
      alertTo({ type: 'slack', secretRef: { name: 'x' } }),
      'alert provider a.test secretRef error: secrets "x" not found'
    ],
    [
      'a receiver that cannot be reached',
      alertTo({ type: 'slack', address }, FAILED),
      `alert provider a.test send error: postMessage failed: sending notification failed to send: Post "${address}": dial tcp: lookup nowhere.test: no such host`
    ],
    [
      'a receiver that says no',
      alertTo({ type: 'slack', address }, 403),
      'alert provider a.test send error: postMessage failed: sending notification bad response 403: said no'
    ],
    [
      'an address that is none',
      alertTo({ type: 'slack', address: '::' }),
      'alert provider a.test error: invalid Slack hook URL ::'
    ]
  ])('%s', (_name, given, text) => {
    const { errors, phase } = outcomeOf(given)
    expect(errors.length).toBeGreaterThanOrEqual(2)
    expect(errors.filter((message) => message !== text)).toEqual([])
    expect(phase).toBe('Succeeded')
  })
})

describe('a canary without spec, which the schema allows', () => {
  const PANIC = 'panic: runtime error: invalid memory address or nil pointer dereference'

  test('makes the controller panic, each time it is started again', () => {
    const { errors, warnings, phase, ticks } = outcomeOf({ whole: { spec: undefined } })
    expect([...new Set(errors)]).toEqual([PANIC])
    expect(errors.length).toBeGreaterThan(2)
    expect({ warnings, phase, ticks }).toEqual({ warnings: [], phase: '', ticks: 0 })
  })
})
