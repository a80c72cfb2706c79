import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { judge, type RunRecord, standing, type Verdict } from '../../src/check/index.ts'
import type { Expectation, ExpectationBody, KubeObject, SequenceItem } from '../../src/kinds/index.ts'
import type { TraceBody } from '../../src/trace/index.ts'
import { phase, ROLLED_BACK, said, traceOf, weight } from './events.ts'

const count = (value: number): { value: number; unit: 'count' } => ({ value, unit: 'count' })
const share = (value: number): { value: number; unit: 'share' } => ({ value, unit: 'share' })

function item(text: string, min = 1, max = min): SequenceItem {
  return { milestone: text, times: { min, max }, text: min === 1 && max === 1 ? text : `${text} ×${min}` }
}

function sequence(...items: readonly (string | SequenceItem)[]): ExpectationBody {
  return { kind: 'sequence', items: items.map((one) => (typeof one === 'string' ? item(one) : one)) }
}

function located(body: ExpectationBody): Expectation {
  return { ...body, place: { file: 'scenario.yaml', line: 1, column: 1 }, text: body.kind }
}

function verdict(body: ExpectationBody, bodies: readonly TraceBody[], record: Partial<RunRecord> = {}): Verdict {
  const [only] = judge([located(body)], {
    events: traceOf(bodies),
    loads: [],
    object: () => undefined,
    query: () => [],
    ...record
  })
  if (only === undefined) throw new Error('no verdict')
  return only
}

const WHOLE = [
  'Initialized',
  'New revision',
  'weight 10',
  'weight 20',
  item('halt success-rate', 2),
  'halt request-duration',
  'rollback',
  'Failed'
] as const

describe('sequence', () => {
  test('is met by the whole list of milestones; hook answers and waiting for pods may stay unnamed', () => {
    expect(verdict(sequence(...WHOLE), ROLLED_BACK)).toMatchObject({ met: true, reason: '9 milestones in order' })
  })

  test('counts a minor kind as soon as it names it', () => {
    const [initialized, revision, ...rest] = WHOLE
    expect(verdict(sequence(initialized, revision, 'start', ...rest), ROLLED_BACK).met).toBe(true)
    expect(verdict(sequence(initialized, 'start', revision, ...rest), ROLLED_BACK).met).toBe(false)
    expect(verdict(sequence('primary not ready', ...WHOLE), ROLLED_BACK).met).toBe(true)
  })

  test('yields the first divergence with its event, and the smallest difference', () => {
    const expected = sequence(
      'Initialized',
      'New revision',
      'weight 10',
      'weight 20',
      'weight 30',
      'promotion',
      'Succeeded'
    )
    expect(verdict(expected, ROLLED_BACK)).toMatchObject({
      met: false,
      reason: 'expected weight 30, got halt success-rate at t+110.0',
      divergence: {
        expected: 'weight 30',
        actual: { label: 'halt success-rate', tick: 6, text: 'Halt podinfo.test advancement success rate 69.17% < 99%' }
      },
      diff: [
        '  …',
        '  weight 10',
        '  weight 20',
        '- weight 30',
        '- promotion',
        '- Succeeded',
        '+ halt success-rate ×2',
        '+ halt request-duration',
        '+ rollback',
        '+ Failed'
      ]
    })
  })

  test('that is longer than what happened says what did not come', () => {
    expect(verdict(sequence(...WHOLE, 'New revision'), ROLLED_BACK)).toMatchObject({
      met: false,
      reason: 'the run ended before New revision',
      divergence: { expected: 'New revision' }
    })
  })

  test('takes ranges of repetitions, also next to each other', () => {
    const rest = ['rollback', 'Failed'] as const
    const start = ['Initialized', 'New revision', 'weight 10', 'weight 20'] as const
    expect(verdict(sequence(...start, item('halt', 1, 3), ...rest), ROLLED_BACK).met).toBe(true)
    expect(verdict(sequence(...start, item('halt', 1, 2), 'halt request-duration', ...rest), ROLLED_BACK).met).toBe(
      true
    )
    expect(verdict(sequence(...start, item('halt', 4, 9), ...rest), ROLLED_BACK)).toMatchObject({
      met: false,
      divergence: { expected: 'halt ×4 (3 seen)', actual: { label: 'rollback' } }
    })
  })

  test('compares words, not letters: weight 1 is not weight 10', () => {
    expect(verdict(sequence('weight 1'), [said('Advance podinfo.test canary weight 10')]).met).toBe(false)
    expect(verdict(sequence('WEIGHT 10'), [said('Advance podinfo.test canary weight 10')]).met).toBe(true)
  })

  test('does not pass over a warning that no rule knows', () => {
    const events = [said('Initialization done! podinfo.test'), said('Something new went wrong', 2, 'Warning')]
    expect(verdict(sequence('Initialized'), events)).toMatchObject({
      met: false,
      divergence: { expected: 'nothing more', actual: { label: 'warning Something new went wrong' } }
    })
  })

  test('an exact event text is an item too', () => {
    const event: SequenceItem = { event: 'Halt * success rate * < 99%', times: { min: 2, max: 2 }, text: 'halts' }
    const items = [
      'Initialized',
      'New revision',
      'weight 10',
      'weight 20',
      event,
      'halt',
      'rollback',
      'Failed'
    ] as const
    expect(verdict(sequence(...items), ROLLED_BACK).met).toBe(true)
  })

  test('property: what happened, written down, is met; with any one milestone left out or doubled it is not', () => {
    const milestones = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(milestones, fc.nat(), (weights, at) => {
        const events = weights.map((percent) => said(`Advance podinfo.test canary weight ${percent}`))
        const items = weights.map((percent) => item(`weight ${percent}`))
        const index = at % items.length
        const without = items.filter((_, other) => other !== index)
        const doubled = [...items.slice(0, index), item('weight 9'), ...items.slice(index)]
        return (
          verdict({ kind: 'sequence', items }, events).met &&
          !verdict({ kind: 'sequence', items: without }, events).met &&
          !verdict({ kind: 'sequence', items: doubled }, events).met
        )
      }),
      { seed: 42 }
    )
  })
})

describe('other expectations', () => {
  test('ordered: others may come between', () => {
    expect(
      verdict({ kind: 'ordered', items: [item('weight 10'), item('halt', 3), item('Failed')] }, ROLLED_BACK).met
    ).toBe(true)
    expect(verdict({ kind: 'ordered', items: [item('Failed'), item('weight 10')] }, ROLLED_BACK)).toMatchObject({
      met: false,
      divergence: { expected: 'weight 10' }
    })
  })

  test('never names the moment it was broken', () => {
    const never = (above: number): ExpectationBody => ({
      kind: 'never',
      condition: { weight: { above: count(above) } }
    })
    expect(verdict(never(20), ROLLED_BACK).met).toBe(true)
    expect(verdict(never(10), ROLLED_BACK)).toMatchObject({
      met: false,
      reason: 'it happened at t+90.0',
      divergence: { actual: { tick: 5 } }
    })
  })

  test('always holds from the first moment it can be told', () => {
    const always = (atMost: number): ExpectationBody => ({
      kind: 'always',
      condition: { weight: { atMost: count(atMost) } }
    })
    expect(verdict(always(20), ROLLED_BACK).met).toBe(true)
    expect(verdict(always(10), ROLLED_BACK).met).toBe(false)
    expect(verdict(always(10), [said('x')])).toMatchObject({
      met: false,
      reason: 'the run never said anything about it'
    })
  })

  test('until: what holds, until when', () => {
    const until = (below: number): ExpectationBody => ({
      kind: 'until',
      condition: { weight: { below: count(below) } },
      until: { milestone: 'rollback' }
    })
    expect(verdict(until(30), ROLLED_BACK).met).toBe(true)
    expect(verdict(until(20), ROLLED_BACK).met).toBe(false)
  })

  test('within counts ticks and time from the last such milestone', () => {
    const body = (limit: { ticks: number } | { ms: number }): ExpectationBody => ({
      kind: 'within',
      since: 'New revision',
      condition: { phase: ['Failed'] },
      ...limit
    })
    expect(verdict(body({ ticks: 6 }), ROLLED_BACK)).toMatchObject({ met: true, reason: 'it took 6 ticks, 140 s' })
    expect(verdict(body({ ticks: 5 }), ROLLED_BACK).met).toBe(false)
    expect(verdict(body({ ms: 139_999 }), ROLLED_BACK).met).toBe(false)
    expect(verdict(body({ ticks: 5 }), ROLLED_BACK.slice(3, 6))).toMatchObject({
      met: false,
      reason: 'it never happened'
    })
  })

  test('count', () => {
    const body: ExpectationBody = {
      kind: 'count',
      condition: { milestone: 'halt success-rate' },
      bound: { is: count(2) }
    }
    expect(verdict(body, ROLLED_BACK).met).toBe(true)
    expect(verdict({ ...body, bound: { above: count(2) } }, ROLLED_BACK)).toMatchObject({
      met: false,
      reason: 'it happened 2 times, expected above 2'
    })
  })

  test('users compares shares with what was delivered', () => {
    const loads = [
      { load: 'users', intended: 1000, delivered: 1000, failed: 50, byVersion: { '3.1.0': 900, '3.1.1': 100 } }
    ]
    const body = (below: number): ExpectationBody => ({
      kind: 'users',
      failedRequests: { below: share(below) },
      versions: { '3.1.1': { atLeast: share(0.1) } }
    })
    expect(verdict(body(0.06), [], { loads }).met).toBe(true)
    expect(verdict(body(0.05), [], { loads }).reason).toBe('50 of 1000 requests failed, expected below 5 %')
    expect(verdict(body(0.05), []).reason).toBe('the scenario has no load')
  })

  test('final: phase, weight, image, replicas and partial objects', () => {
    const deployment: KubeObject = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'podinfo-primary', namespace: 'test' },
      spec: {
        replicas: 2,
        template: {
          spec: { containers: [{ name: 'podinfod', image: 'podinfo:1', env: [{ name: 'A' }, { name: 'B' }] }] }
        }
      }
    }
    const record = {
      object: (kind: string, name: string) =>
        `${kind} ${name}` === 'deployment test/podinfo-primary' ? deployment : undefined
    }
    const reference = { kind: 'deployment', name: 'test/podinfo-primary' }
    const containers = [{ env: [{ name: 'B' }] }]
    const met = (body: Omit<Extract<ExpectationBody, { kind: 'final' }>, 'kind'>): Verdict =>
      verdict({ kind: 'final', ...body }, [...ROLLED_BACK, phase('Failed', 9), weight(0, 9)], record)
    expect(met({ phase: ['Failed'], weight: { is: count(0) } }).met).toBe(true)
    expect(met({ phase: ['Succeeded'] }).reason).toBe('podinfo.test is Failed at weight 0')
    expect(
      met({ image: { ...reference, is: 'podinfo:1' }, replicas: { ...reference, bound: { is: count(2) } } }).met
    ).toBe(true)
    expect(met({ image: { ...reference, is: 'podinfo:2' } }).reason).toContain('runs podinfo:1, expected podinfo:2')
    expect(met({ object: { ...reference, like: { spec: { template: { spec: { containers } } } } } }).met).toBe(true)
    expect(met({ object: { ...reference, like: { spec: { replicas: 3 } } } }).reason).toContain(
      '.spec.replicas is 2, expected 3'
    )
    expect(met({ object: { kind: 'deployment', name: 'test/podinfo', like: 'absent' } }).met).toBe(true)
  })

  test('query: all values lie within the bound', () => {
    const query = (): RunRecord['query'] => () => [
      { labels: { pod: 'a' }, value: 3 },
      { labels: { pod: 'b' }, value: 5 }
    ]
    const body = (below: number): ExpectationBody => ({
      kind: 'query',
      expression: 'x',
      bound: { below: count(below) },
      absent: false
    })
    expect(verdict(body(6), [], { query: query() }).met).toBe(true)
    expect(verdict(body(5), [], { query: query() }).reason).toBe('{"pod":"b"} is 5, expected below 5')
    expect(verdict(body(5), []).reason).toBe('no values found')
  })
})

test('standing() says whether more events may still change the verdict', () => {
  const stand = (body: ExpectationBody, length: number): string =>
    standing(located(body), traceOf(ROLLED_BACK.slice(0, length)))
  expect([3, 14, ROLLED_BACK.length].map((length) => stand(sequence(...WHOLE), length))).toEqual([
    'open',
    'open',
    'decided'
  ])
  expect(stand(sequence('Initialized', 'New revision', 'weight 30'), 12)).toBe('broken')
  expect(stand({ kind: 'never', condition: { weight: { above: count(10) } } }, ROLLED_BACK.length)).toBe('broken')
})
