import fc from 'fast-check'
import { expect, test } from 'vitest'
import { randomStream } from '../../../src/lib/random/index.ts'
import { VirtualClock } from '../../../src/lib/time/index.ts'
import type { ApiResponse, Canary, KubeObject } from '../../../src/kinds/index.ts'
import {
  advanceCanary,
  ControllerPanic,
  resolveSettings,
  syncCanary,
  type Effect,
  type HttpOutcome,
  type Plan
} from '../../../src/model/canary/index.ts'
import { chance } from '../../../src/world/controller/chance.ts'
import { drive } from '../../../src/world/controller/driver.ts'
import { Environment, START } from '../../conformance/golden/environment.ts'
import { smallCase, type CaseOptions } from '../../model/canary/quirk-cases.ts'

const RUNS = 150
const TICKS = 5
/** No tick of these small canaries has reason to do more. */
const EFFECTS_MAX = 2000

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const BASES: readonly CaseOptions[] = [
  {},
  { provider: 'kubernetes', analysis: { iterations: 2 } },
  { provider: 'istio', analysis: { iterations: 2, match: [{ headers: { x: { exact: 'y' } } }] } },
  { provider: 'istio', analysis: { mirror: true, sessionAffinity: { cookieName: 'c', primaryCookieName: 'p' } } },
  {
    provider: 'gatewayapi:v1',
    spec: { service: { port: 80, gatewayRefs: [{ name: 'gw' }], match: [{ uri: { prefix: '/' } }] } }
  },
  { provider: 'nginx', spec: { ingressRef: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'web' } } },
  { provider: 'skipper', spec: { ingressRef: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'web' } } },
  { provider: 'contour' },
  { provider: 'gloo' },
  { provider: 'traefik' },
  { provider: 'kuma' },
  { provider: 'appmesh' },
  {
    spec: {
      autoscalerRef: { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', name: 'podinfo' },
      skipAnalysis: true
    }
  },
  {
    analysis: {
      webhooks: [
        { name: 'a', type: 'confirm-rollout', url: 'http://webhooks.test/a', timeout: '5s', retries: 1 },
        { name: 'b', type: 'pre-rollout', url: 'http://webhooks.test/b', metadata: { cmd: 'x' } },
        { name: 'c', url: 'http://webhooks.test/c' },
        { name: 'd', type: 'event', url: 'http://webhooks.test/d' },
        { name: 'e', type: 'rollback', url: 'http://webhooks.test/e' }
      ],
      alerts: [{ name: 's', severity: 'info', providerRef: { name: 'slack' } }],
      metrics: [
        { name: 'request-success-rate', interval: '1m', thresholdRange: { min: 99 } },
        { name: 'request-duration', interval: '30s', threshold: 500 },
        { name: 'inline', query: 'sum(rate(x{a="{{ variables.y }}"}[{{ interval }}]))', threshold: 1 },
        { name: 'template', templateRef: { name: 'success-rate' }, templateVariables: { y: 'z' } }
      ]
    }
  }
]

const PHASES = ['', 'Initialized', 'Waiting', 'Progressing', 'WaitingPromotion', 'Promoting', 'Finalising', 'Failed']

const junk: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(
    null,
    '',
    'x',
    '1m',
    '10s',
    '500ms',
    '-1s',
    '{{ x }}',
    '{{ variables.x',
    'http://',
    '://',
    '🙂'
  ),
  fc.constantFrom<Json>(0, -1, 1, 2.5, 100, 101, 1e9, 1e21),
  fc.boolean(),
  fc.constantFrom<Json>([], {}, [null], ['x'], { name: 'x' }, [{ name: 'x' }], { exact: 'x' }),
  fc.string({ maxLength: 12 }),
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>
)

const mutation = fc.record({ place: fc.nat(), remove: fc.boolean(), value: junk })
const answerBody = fc.oneof(
  fc.constantFrom(
    '',
    'null',
    '{}',
    '[]',
    '"x"',
    '{"data":null}',
    '{"data":{"result":null}}',
    '{"data":{"result":{}}}',
    '{"data":{"result":[{}]}}',
    '{"data":{"result":[{"value":[0]}]}}',
    '{"data":{"result":[{"value":[0,"NaN"]}]}}',
    '{"data":{"result":[{"value":[0,"+Inf"]}]}}',
    '{"data":{"result":[{"value":[0,"100"]}]}}',
    '{"data":{"result":[{"value":[0,7]}]}}',
    '{"data":{"result":[{"value":"x"}]}}',
    '{"data":{"result":[0,"1"]}}',
    '<html>'
  ),
  fc.string({ maxLength: 20 }),
  fc.json({ maxDepth: 3 })
)
const outcome: fc.Arbitrary<HttpOutcome> = fc.oneof(
  fc.record({
    ok: fc.constant(true as const),
    status: fc.constantFrom(200, 202, 204, 301, 302, 307, 400, 403, 404, 429, 500, 501, 503),
    body: answerBody,
    headers: fc.constantFrom<Record<string, string>>(
      {},
      { location: '/again' },
      { location: '::' },
      { 'retry-after': 'x' }
    )
  }),
  fc.record({ ok: fc.constant(false as const), error: fc.constantFrom('EOF', 'context deadline exceeded', '') })
)
const refusal: fc.Arbitrary<ApiResponse> = fc.oneof(
  fc.record({
    code: fc.constantFrom(0, 401, 403, 404, 409, 422, 429, 500, 503),
    body: fc.constantFrom<unknown>(undefined, {}, { message: 'refused' }, { message: 'x', reason: 'Conflict' }, 'text')
  }),
  fc.record({ code: fc.constant(200), body: fc.constantFrom<unknown>(undefined, null, 'text', {}, [], 7) })
)

const input = fc.record({
  base: fc.constantFrom(...BASES),
  mutations: fc.array(mutation, { maxLength: 3 }),
  phase: fc.constantFrom(...PHASES),
  outcomes: fc.array(outcome, { minLength: 1, maxLength: 6 }),
  /** Which API requests are answered otherwise than by the server. */
  refusals: fc.array(fc.record({ at: fc.nat({ max: 60 }), response: refusal }), { maxLength: 4 })
})

/** Every place in a value: the object that holds it and the key. */
function placesOf(value: Json): (readonly [Record<string, Json>, string])[] {
  if (typeof value !== 'object' || value === null) return []
  const holder = value as Record<string, Json>
  return Object.keys(value).flatMap((key) => [[holder, key] as const, ...placesOf(holder[key] ?? null)])
}

function mutated(spec: unknown, mutations: readonly { place: number; remove: boolean; value: Json }[]): Json {
  const copy = structuredClone(spec) as Json
  for (const { place, remove, value } of mutations) {
    const places = placesOf(copy)
    const [holder, key] = places[place % places.length] ?? [{}, '']
    if (remove) delete holder[key]
    else holder[key] = structuredClone(value)
  }
  return copy
}

const ALERT_PROVIDER: KubeObject = {
  apiVersion: 'flagger.app/v1beta1',
  kind: 'AlertProvider',
  metadata: { name: 'slack' },
  spec: { type: 'slack', address: 'http://slack.test/x' }
}

interface Ran {
  readonly accepted: boolean
  /** Warnings and error lines. */
  readonly told: number
}

function run(given: typeof input extends fc.Arbitrary<infer Given> ? Given : never): Ran {
  const clock = new VirtualClock(START)
  const golden = smallCase({ ...given.base, manifests: [ALERT_PROVIDER] })
  const environment = new Environment(golden, clock)
  const path = '/apis/flagger.app/v1beta1/namespaces/test/canaries'
  const body = { ...golden.canary, spec: mutated(golden.canary.spec, given.mutations) }
  const created = environment.send({ method: 'POST', path, body })
  if (created.code >= 300) {
    if ((created.body as { message?: string }).message === undefined) throw new Error('refused without a word')
    return { accepted: false, told: 0 }
  }
  const status = { phase: given.phase, canaryWeight: 0, failedChecks: 0, iterations: 0, lastAppliedSpec: 'x' }
  if (given.phase !== '')
    environment.send({ method: 'PUT', path: `${path}/podinfo/status`, body: { ...(created.body as object), status } })
  const settings = resolveSettings({ flags: { 'mesh-provider': given.base.provider ?? 'smi:v1alpha2' } })
  const random = randomStream(1, 'any')
  let [requests, told, answered] = [0, 0, 0]
  const answer = (effect: Effect): unknown => {
    switch (effect.effect) {
      case 'api':
        requests++
        return given.refusals.find(({ at }) => at === requests)?.response ?? environment.send(effect.request)
      case 'query':
      case 'webhook':
      case 'alert':
        return given.outcomes[answered++ % given.outcomes.length]
      case 'lookup':
        return environment.api.get('flagger.app', effect.resource, effect.namespace, effect.name)
      case 'now':
        return clock.now()
      case 'random':
        return chance(random, effect.of)
      case 'event':
        if (effect.type === 'Warning') told++
        return undefined
      default:
        return undefined
    }
  }
  const perform = (plan: Plan<unknown>): void => {
    let effects = 0
    let ended: { readonly error: unknown } | { readonly value: unknown } | undefined
    drive(
      plan,
      (effect, resume) => {
        effects++
        if (effects <= EFFECTS_MAX) resume(answer(effect))
      },
      (result) => (ended = result)
    )
    expect(ended, `the plan did not end after ${EFFECTS_MAX} effects`).toBeDefined()
    if (ended !== undefined && 'error' in ended && !(ended.error instanceof ControllerPanic)) throw ended.error
  }
  const read = (): Canary | undefined =>
    environment.api.get('flagger.app', 'canaries', 'test', 'podinfo') as Canary | undefined
  for (let tick = 0; tick < TICKS; tick++) {
    const canary = read()
    if (canary === undefined) break
    if (tick === 0) perform(syncCanary(settings, canary))
    perform(advanceCanary({ name: 'podinfo', namespace: 'test' }, settings))
    environment.settle()
    clock.runUntil(clock.now() + 10_000)
  }
  return { accepted: true, told }
}

test('a tick never throws and always ends, whatever canary was admitted and whatever is answered', () => {
  let accepted = 0
  let told = 0
  fc.assert(
    fc.property(input, (given) => {
      const ran = run(given)
      if (ran.accepted) accepted++
      told += ran.told
    }),
    { seed: 20_261_121, numRuns: RUNS }
  )
  // Otherwise it would prove nothing.
  expect(accepted).toBeGreaterThan(RUNS / 4)
  expect(told).toBeGreaterThan(RUNS / 4)
})
