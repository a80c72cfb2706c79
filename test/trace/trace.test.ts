import { describe, expect, test } from 'vitest'
import {
  decodeTrace,
  encodeEvent,
  encodeHeader,
  alertText,
  LineFormatter,
  matchesGlob,
  milestoneOf,
  TRACE_VERSION
} from '../../src/trace/index.ts'
import type { TraceEvent } from '../../src/trace/index.ts'
import { said, traceOf, weight } from '../check/events.ts'

/** Flagger's texts (golden traces of 1.44.0) and the milestones they are. */
const TEXTS: readonly (readonly [string, string])[] = [
  ['Initialization done! podinfo.test', 'Initialized'],
  ['New revision detected! Scaling up podinfo.test', 'New revision'],
  ['New revision detected! Restarting analysis for podinfo.test', 'restart'],
  ['Advance podinfo.test canary weight 15', 'weight 15'],
  ['Advance podinfo.test primary weight 80', 'primary weight 80'],
  ['Advance podinfo.test canary iteration 2/3', 'iteration 2/3'],
  ['Halt podinfo.test advancement success rate 69.17% < 99%', 'halt success-rate'],
  ['Halt podinfo.test advancement request duration 1.515s > 500ms', 'halt request-duration'],
  ['Halt podinfo.test advancement 404s percentage 6.20 > 3', 'halt 404s percentage'],
  ['Halt podinfo.test advancement external check load-test failed Forbidden', 'halt hook load-test'],
  ['Halt podinfo.test advancement pre-rollout check acc failed POST http://x/ giving up', 'halt hook acc'],
  [
    'Halt advancement no values found for linkerd metric request-success-rate probably podinfo.test is not receiving traffic: running query failed: no values found',
    'halt no-values request-success-rate'
  ],
  ['Halt advancement no values found for custom metric: success-rate: no values found', 'halt no-values success-rate'],
  ['Halt podinfo.test advancement waiting for approval gate', 'gate closed gate'],
  ['Halt podinfo.test advancement waiting for promotion approval gate', 'gate closed gate'],
  ['Halt podinfo.test advancement waiting for traffic increase approval gate', 'gate closed gate'],
  ['Confirm-promotion check gate passed', 'gate open gate'],
  ['Rolling back podinfo.test failed checks threshold reached 5', 'rollback'],
  ['Rolling back podinfo.test manual webhook invoked', 'rollback'],
  ['Canary failed! Scaling down podinfo.test', 'Failed'],
  ['Copying podinfo.test template spec to podinfo-primary.test', 'promotion'],
  ['Promotion of podinfo.test failed, primary not ready: x', 'promotion failed'],
  ['Promotion completed! Scaling down podinfo.test', 'Succeeded'],
  ['Promotion completed! Canary analysis was skipped for podinfo.test', 'Succeeded'],
  ['canary deployment podinfo.test not ready: waiting for rollout to finish: 0 of 1', 'canary not ready'],
  ['podinfo-primary.test not ready: waiting for rollout to finish: 0 of 1', 'primary not ready']
]

describe('milestoneOf()', () => {
  test.each(TEXTS)('%s', (text, label) => {
    expect(traceOf([said(text)]).map((event) => milestoneOf(event)?.label)).toEqual([label])
  })
})

describe('matchesGlob()', () => {
  test('lets * stand for any text, and nothing else for anything', () => {
    expect(matchesGlob('Halt a success rate 1.00% < 99%', 'Halt * success rate * < 99%')).toBe(true)
    expect(matchesGlob('abc', 'abc')).toBe(true)
    expect(matchesGlob('ab', 'a*b*b')).toBe(false)
    expect(matchesGlob('aXbXb', 'a*b*b')).toBe(true)
    expect(matchesGlob('a.c', 'a?c')).toBe(false)
    expect(matchesGlob('ab', 'ab*ab')).toBe(false)
  })
})

describe('the trace file', () => {
  const header = {
    scenario: 's',
    file: 's.yaml',
    world: 'embedded',
    seed: 1,
    speed: 'unlimited',
    versions: {},
    inputsDigest: 'x'
  }
  const events = traceOf([said('Advance podinfo.test canary weight 10'), weight(10)])

  test('is read back as it was written', () => {
    const text = encodeHeader(header) + events.map(encodeEvent).join('')
    expect(decodeTrace(text)).toEqual({
      ok: true,
      header: { trace: 'rollout-twin', version: TRACE_VERSION, ...header },
      events
    })
  })

  test('that was cut short in its last line still shows what happened before', () => {
    const text = encodeHeader(header) + events.map(encodeEvent).join('')
    expect(decodeTrace(text.slice(0, -10))).toMatchObject({ ok: true, events: events.slice(0, 1) })
  })

  test('says where it is none', () => {
    expect(decodeTrace('{"a":1}\n')).toMatchObject({ ok: false, line: 1 })
    expect(decodeTrace(`${encodeHeader(header)}nonsense\n`)).toMatchObject({ ok: false, line: 2 })
    expect(decodeTrace(encodeHeader(header).replace('"version":1', '"version":99'))).toMatchObject({
      ok: false,
      line: 1
    })
  })
})

describe('alertText()', () => {
  test.each([
    ['Slack', { attachments: [{ text: 'gone' }] }],
    ['Teams', { sections: [{ activityTitle: 'gone' }] }],
    [
      'Google Chat',
      { cards: [{ sections: [{ widgets: [{ textParagraph: { text: '<font><strong>gone</strong></font>' } }] }] }] }
    ]
  ])('reads what %s is told', (_name, payload) => {
    expect(alertText(payload)).toBe('gone')
  })

  test('says nothing of what it does not know', () => {
    expect([alertText(null), alertText('x'), alertText({ text: 'x' })]).toEqual(['', '', ''])
  })
})

describe('LineFormatter', () => {
  test('prints one line per event with the evidence of its tick in fixed columns', () => {
    const events: TraceEvent[] = traceOf([
      said('Initialization done! podinfo.test', 1),
      said('New revision detected! Scaling up podinfo.test', 2),
      {
        kind: 'decision',
        canary: 'podinfo.test',
        tick: 3,
        reason: 'advance',
        message: '',
        evidence: [
          { metric: 'request-success-rate', query: '', value: 99.8712, userRequests: 412 },
          { metric: 'request-duration', query: '', value: 231 }
        ]
      },
      said('Advance podinfo.test canary weight 30', 3),
      said('Halt podinfo.test advancement success rate 69.17% < 99%', 4, 'Warning'),
      { kind: 'query', canary: 'podinfo.test', tick: 4, query: 'up', result: '1' },
      { kind: 'note', text: 'a person looks' }
    ])
    const formatter = new LineFormatter({ thresholds: { 'podinfo.test': 5 } })
    expect(events.flatMap((event) => formatter.format(event) ?? []).join('\n')).toMatchInlineSnapshot(`
      "t+000.0  #1   ● podinfo.test   Initialized                                                       Initialization done! podinfo.test
      t+010.0  #2   ◆ podinfo.test   new revision                                           checks 0/5 New revision detected! Scaling up podinfo.test
      t+030.0  #3   ▲ podinfo.test   weight 30      ok 99.87 % of 412          p99 231 ms   checks 0/5 Advance podinfo.test canary weight 30
      t+040.0  #4   ‖ podinfo.test   weight 30                                              checks 1/5 Halt podinfo.test advancement success rate 69.17% < 99%
      t+060.0       #                                                                                  a person looks"
    `)
  })
})
