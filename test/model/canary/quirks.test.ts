import { describe, expect, test } from 'vitest'
import { replaySync } from '../../conformance/golden/sync-driver.ts'
import { QUIRKS, resolveSettings, type Effect, type QuirkName } from '../../../src/model/canary/index.ts'
import { templateMetricsPass } from '../../../src/model/canary/metrics.ts'
import { smallCase } from './quirk-cases.ts'
import { CASES } from './quirk-table.ts'

/** Quirks by the number of the oddity in section 13.1 of the specification. */
const ODDITIES: Readonly<Record<string, readonly QuirkName[]>> = {
  1: ['rollout-gate-before-announcement'],
  2: ['one-change-per-tick'],
  3: ['announced-before-done'],
  4: ['events-mix-names'],
  5: ['weight-overshoots-max', 'waiting-promotion-shows-weight-zero', 'iterations-show-weight-zero'],
  6: ['failed-checks-survive-success', 'failed-resets-failed-checks'],
  7: ['traffic-gate-asked-before-promotion', 'blue-green-promotion-gate-asked-twice'],
  8: ['rollback-hook-tells-every-tick', 'rollback-hook-not-asked-while-waiting'],
  9: ['start-is-told-at-every-try'],
  10: ['single-iteration-starts-again'],
  11: ['alert-without-severity-never-fires', 'not-ready-rollback-is-silent'],
  12: ['template-interval-has-no-default', 'builtin-name-with-template-runs-both'],
  13: ['stuck-primary-gates-fixes', 'failed-loses-revisions', 'failed-promotion-keeps-routes'],
  14: ['failed-refreshes-transition-time'],
  15: ['difference-resets-weights'],
  16: ['unaccepted-route-ends-tick'],
  17: ['istio-default-route-carries-primary-weight'],
  18: ['primary-drops-selector-labels'],
  19: ['manual-scale-up-stays'],
  20: ['kubernetes-never-shifts-traffic'],
  21: ['template-authorization-accumulates']
}

describe('quirks', () => {
  test.each(Object.entries(CASES))('%s shows when on and not when off', (name, quirk) => {
    const golden = smallCase(quirk.options)
    expect(quirk.observe(replaySync(golden))).toEqual(quirk.on)
    expect(quirk.observe(replaySync(golden, [name]))).toEqual(quirk.off)
  })

  test('template-authorization-accumulates sends one more value per query when on, always one when off', () => {
    expect(authorizations([])).toEqual([1, 2, 3])
    expect(authorizations(['template-authorization-accumulates'])).toEqual([1, 1, 1])
  })

  test("every oddity of Flagger's list has its quirks, and every quirk behaviour, alternative and place", () => {
    const named = Object.values(ODDITIES).flat()
    expect(Object.keys(ODDITIES)).toEqual(Array.from({ length: 21 }, (_, index) => String(index + 1)))
    expect(named.filter((name) => !(name in QUIRKS))).toEqual([])
    for (const { behaviour, off, upstream } of Object.values(QUIRKS)) {
      expect([behaviour, off].every((text) => text.endsWith('.'))).toBe(true)
      expect(upstream).toMatch(/^pkg\/[\w/]+\.go \w+/)
    }
  })

  test('every named quirk has a test', () => {
    const tested = new Set([...Object.keys(CASES), 'template-authorization-accumulates'])
    expect(Object.keys(QUIRKS).filter((name) => !tested.has(name))).toEqual([])
  })

  test('the flag quirks-off switches oddities off by name', () => {
    const { quirks } = resolveSettings({ flags: { 'quirks-off': 'weight-overshoots-max, zero-replicas-are-ready' } })
    expect(Object.entries(quirks).flatMap(([name, on]) => (on ? [] : [name]))).toEqual([
      'weight-overshoots-max',
      'zero-replicas-are-ready'
    ])
    expect(() => resolveSettings({ flags: { 'quirks-off': 'nope' } })).toThrow('unknown quirk "nope"')
  })

  test('an unknown name is refused', () => {
    expect(() => resolveSettings({ quirksOff: ['nope'] })).toThrow('unknown quirk "nope"')
  })
})

/** Values of Authorization in three runs of a template metric with headers and a token. */
function authorizations(quirksOff: readonly string[]): number[] {
  const template = {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'MetricTemplate',
    metadata: { name: 't', namespace: 'test' },
    spec: {
      provider: { type: 'prometheus', address: 'http://p.test', headers: { 'X-A': ['1'] }, secretRef: { name: 's' } },
      query: 'q'
    }
  }
  const settings = resolveSettings({ quirksOff })
  const canary = smallCase({
    analysis: { metrics: [{ name: 'm', templateRef: { name: 't' }, thresholdRange: {} }] }
  }).canary
  const counts: number[] = []
  const answer = (effect: Effect): unknown => {
    if (effect.effect === 'lookup') return template
    if (effect.effect === 'api')
      return { code: 200, body: { kind: 'Secret', metadata: { name: 's' }, data: { token: 'dGs=' } } }
    if (effect.effect !== 'query') return undefined
    counts.push([effect.request.headers['Authorization'] ?? []].flat().length)
    return { ok: true, status: 200, body: '{"data":{"result":[{"value":[0,"1"]}]}}', headers: {} }
  }
  for (let run = 0; run < 3; run++) {
    const plan = templateMetricsPass(settings, canary as Parameters<typeof templateMetricsPass>[1])
    for (let step = plan.next(); step.done !== true;) step = plan.next(answer(step.value))
  }
  return counts
}
