import { describe, expect, it } from 'vitest'
import { createEngine, type Engine, explainAbsence, type QueryOutcome } from '../../../src/lib/promql/index.ts'
import { Labels, Tsdb } from '../../../src/lib/tsdb/index.ts'

type Points = readonly (readonly [seconds: number, value: number | 'stale'])[]

function engineWith(series: Readonly<Record<string, Points>>, version: 'v2' | 'v3' = 'v2'): Engine {
  const db = new Tsdb()
  for (const [name, points] of Object.entries(series)) {
    const [metric = '', job = ''] = name.split('/')
    const labels = Labels.of({ __name__: metric, job })
    for (const [seconds, value] of points) {
      if (value === 'stale') db.appendStale(labels, seconds * 1000)
      else db.append(labels, seconds * 1000, value)
    }
  }
  return createEngine({ db, version })
}

function every10s(from: number, first: number, step: number, count: number): Points {
  return Array.from({ length: count }, (_, index) => [from + index * 10, first + index * step] as const)
}

function single(outcome: QueryOutcome): number | undefined {
  if (!outcome.ok || outcome.value.type !== 'vector') return undefined
  return outcome.value.elements[0]?.value
}

describe('rate', () => {
  const steady = every10s(0, 1000, 100, 20)
  const late = every10s(30, 40, 100, 15)
  // Values of a real server for the same samples: see the timing artefacts of a 10 s scrape.
  it.each([
    ['steady', steady, 'rate(x_total[1m])', 120, 10],
    ['steady, off the grid', steady, 'rate(x_total[1m])', 123, 10],
    ['two samples', late, 'rate(x_total[1m])', 40, 2.3333333333],
    ['increase of two samples', late, 'increase(x_total[1m])', 40, 140],
    ['young series', late, 'rate(x_total[1m])', 60, 5.6666666666],
    ['grown up', late, 'rate(x_total[1m])', 90, 10],
    ['clamped at zero', every10s(30, 80, 100, 15), 'rate(x_total[1m])', 60, 5.8333333333],
    ['constant', every10s(0, 40, 0, 10), 'rate(x_total[1m])', 60, 0]
  ])('%s', (_, points, query, seconds, wanted) => {
    expect(single(engineWith({ 'x_total/a': points }).instant(query, seconds * 1000))).toBeCloseTo(wanted, 8)
  })

  const reset: Points = [100, 200, 300, 50, 150, 250, 350].map((value, index) => [index * 10, value] as const)
  it('takes both ends of the window in 2.x, not the left one in 3.x', () => {
    const at = (version: 'v2' | 'v3'): number | undefined =>
      single(engineWith({ 'x_total/a': reset }, version).instant('rate(x_total[1m])', 60_000))
    expect(at('v2')).toBeCloseTo(9.1666666667, 8)
    expect(at('v3')).toBeCloseTo(9, 8)
  })

  it('keeps using samples from before a staleness marker, which ends the instant value at once', () => {
    const engine = engineWith({ 'x_total/a': [...every10s(0, 100, 100, 6), [60, 'stale']] })
    expect(single(engine.instant('rate(x_total[1m])', 65_000))).toBeCloseTo(8.3333333333, 8)
    expect(single(engine.instant('rate(x_total[1m])', 101_000))).toBeUndefined()
    expect(single(engine.instant('x_total', 65_000))).toBeUndefined()
  })

  it('gives nothing for a single sample', () => {
    expect(single(engineWith({ 'x_total/a': [[10, 5]] }).instant('rate(x_total[1m])', 30_000))).toBeUndefined()
  })
})

describe('instant', () => {
  it("errors are values with the server's text", () => {
    const engine = engineWith({ 'a/x': [[0, 1]], 'a/y': [[0, 1]], 'b/x': [[0, 1]] })
    expect(engine.instant('rate(up)', 0)).toMatchObject({
      ok: false,
      errorType: 'bad_data',
      error: '1:6: parse error: expected type range vector in call to function "rate", got instant vector'
    })
    expect(engine.instant('b + on() a', 0)).toMatchObject({ ok: false, errorType: 'execution' })
  })
  it('`or vector(0)` fills only what has no labels', () => {
    const engine = engineWith({ 'a/x': [[0, 3]] })
    const count = (query: string): number => {
      const outcome = engine.instant(query, 0)
      return outcome.ok && outcome.value.type === 'vector' ? outcome.value.elements.length : -1
    }
    expect(count('a or vector(0)')).toBe(2)
    expect(count('sum(a) or vector(0)')).toBe(1)
    expect(count('sum(nothing)')).toBe(0)
  })
  it('sees series that came after the query was first asked', () => {
    const engine = engineWith({ 'a/x': [[0, 3]] })
    expect(single(engine.instant('sum(a)', 0))).toBe(3)
    engine.db.append(Labels.of({ __name__: 'a', job: 'z' }), 0, 4)
    expect(single(engine.instant('sum(a)', 0))).toBe(7)
  })
})

describe('range', () => {
  it('evaluates both ends and keeps steps without a value out', () => {
    const engine = engineWith({ 'a/x': [[0, 1]] })
    const outcome = engine.range('a', { startMs: 0, endMs: 400_000, stepMs: 100_000 })
    expect(outcome).toMatchObject({ ok: true, value: { series: [{ times: [0, 100_000, 200_000, 300_000] }] } })
  })
  it('refuses a range vector', () => {
    const error = 'invalid expression type "range vector" for range query, must be Scalar or instant Vector'
    expect(engineWith({}).range('a[5m]', { startMs: 0, endMs: 1, stepMs: 1 })).toMatchObject({ ok: false, error })
  })
})

describe('explainAbsence', () => {
  const ratio = 'sum(rate(ok_total[1m])) / sum(rate(all_total[1m])) * 100'
  it.each([
    ['no series', {}, 'sum(rate(ok_total[1m]))', 'no series'],
    ['label mismatch', { 'ok_total/a': every10s(0, 0, 1, 9) }, 'rate(ok_total{job="b"}[1m])', 'label mismatch'],
    ['fewer than two samples', { 'ok_total/a': every10s(60, 0, 1, 1) }, 'rate(ok_total[1m])', 'fewer than two samples'],
    ['target not scraped', { 'ok_total/a': every10s(0, 0, 1, 1) }, 'rate(ok_total[1m])', 'target not scraped'],
    ['numerator absent', { 'all_total/a': every10s(0, 0, 1, 9) }, ratio, 'numerator absent'],
    ['no requests', { 'ok_total/a': every10s(0, 4, 0, 9), 'all_total/a': every10s(0, 4, 0, 9) }, ratio, 'no requests'],
    ['query error', {}, 'rate(', 'query error']
  ])('%s', (_, series, query, code) => {
    expect(explainAbsence(engineWith(series as Record<string, Points>), query, 80_000)).toMatchObject({ code })
  })
  it('has nothing to say where there is a value', () => {
    const engine = engineWith({ 'ok_total/a': every10s(0, 0, 1, 9), 'all_total/a': every10s(0, 0, 1, 9) })
    expect(explainAbsence(engine, ratio, 80_000)).toBeUndefined()
  })
})
