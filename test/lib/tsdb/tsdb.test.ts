import { setFlagsFromString } from 'node:v8'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  boundRegexpTime,
  compareLabels,
  compileRegexp,
  Labels,
  Matcher,
  type SampleTable,
  type SeriesName,
  Tsdb
} from '../../../src/lib/tsdb/index.ts'

const up = Labels.of({ __name__: 'up', job: 'a' })

describe('Labels', () => {
  it('sorts names and leaves empty values out', () => {
    expect(Labels.of({ b: '2', a: '1', c: '' }).toString()).toBe('{a="1", b="2"}')
  })
  it('keeps derived sets identical from call to call', () => {
    expect(up.withoutName()).toBe(up.withoutName())
    expect(up.withNameDropPending().key).toBe(up.key)
  })
  it('has one key per set, whatever the order (seed 42)', () => {
    const record = fc.dictionary(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), { maxKeys: 6 })
    fc.assert(
      fc.property(record, (labels) => {
        const reversed = Object.fromEntries(Object.entries(labels).reverse())
        expect(Labels.of(reversed).key).toBe(Labels.of(labels).key)
      }),
      { seed: 42 }
    )
  })
})

describe('Tsdb', () => {
  it('append: refuses samples out of order and a second value at one time', () => {
    const db = new Tsdb()
    expect(db.append(up, 10, 1)).toBe('added')
    expect(db.append(up, 10, 1)).toBe('same')
    expect(db.append(up, 10, 2)).toBe('duplicate timestamp')
    expect(db.append(up, 5, 2)).toBe('out of order')
  })
  it('appendStale: is told apart from an ordinary NaN', () => {
    const db = new Tsdb()
    db.append(up, 10, Number.NaN)
    db.appendStale(up, 20)
    const series = db.series(up)
    expect([series.isStale(series.from), series.isStale(series.from + 1), series.endsStale]).toEqual([
      false,
      true,
      true
    ])
  })
  it('appendStale: keeps the mark when the arrays grow', () => {
    const db = new Tsdb()
    for (let index = 0; index < 100; index++) {
      if (index % 10 === 3) db.appendStale(up, index)
      else db.append(up, index, index)
    }
    const series = db.series(up)
    const stale = Array.from({ length: 100 }, (_, index) => index).filter((index) =>
      series.isStale(series.from + index)
    )
    expect(stale).toEqual([3, 13, 23, 33, 43, 53, 63, 73, 83, 93])
  })
  it('select: an absent label counts as empty', () => {
    const db = new Tsdb()
    db.append(up, 1, 1)
    db.append(Labels.of({ __name__: 'up', job: 'b', pod: 'x' }), 1, 1)
    const named = new Matcher('__name__', '=', 'up')
    expect(db.select([named, new Matcher('pod', '!=', 'x')]).map(({ labels }) => labels.get('job'))).toEqual(['a'])
    expect(db.select([named, new Matcher('pod', '=~', '.*')])).toHaveLength(2)
  })
  it('forgets samples and series past the retention, and takes a series back', () => {
    const db = new Tsdb({ retentionMs: 1000 })
    const other = Labels.of({ __name__: 'other' })
    const held = db.series(other)
    db.appendTo(held, 0, 1)
    for (let time = 0; time <= 5000; time += 100) db.append(up, time, time)
    expect(db.seriesCount).toBe(1)
    expect(db.append(up, 100, 1)).toBe('out of bounds')
    expect(db.appendTo(held, 5000, 2)).toBe('added')
    expect(db.select([new Matcher('__name__', '=', 'other')])).toHaveLength(1)
  })
})

describe('compileRegexp', () => {
  it('anchors, and reads what RE2 spells differently', () => {
    const matches = (pattern: string, text: string): boolean => {
      const outcome = compileRegexp(pattern)
      return outcome.ok && outcome.regexp.test(text)
    }
    expect(matches('podinfo', 'podinfo-primary')).toBe(false)
    expect(matches('(?i)POD.*', 'podinfo')).toBe(true)
    expect(matches('a((?i)b)c', 'aBc')).toBe(true)
    expect(matches('a((?i)b)c', 'aBC')).toBe(false)
    expect(matches('(?P<x>[[:digit:]]+)', '12')).toBe(true)
    expect(matches('.*', 'two\nlines')).toBe(true)
    expect(matches('(?i:[a-c]x|y)Z', 'BXZ')).toBe(true)
    expect(matches('(?i:[a-c]x|y)Z', 'yz')).toBe(false)
  })
  it('a pattern that would backtrack for ever ends at once', () => {
    boundRegexpTime(setFlagsFromString)
    for (const pattern of ['(a+)+b', '(?i)(a|aa)+b', '(.*)*x']) {
      const outcome = compileRegexp(pattern)
      expect(outcome.ok && outcome.regexp.test('a'.repeat(200))).toBe(false)
    }
  })
  it('refuses what RE2 refuses, with its text', () => {
    expect(compileRegexp('(')).toEqual({ ok: false, error: 'missing closing ): `(`' })
    expect(compileRegexp('a{1001}')).toEqual({ ok: false, error: 'invalid repeat count: `{1001}`' })
    expect(compileRegexp('a**')).toMatchObject({ ok: false })
    expect(compileRegexp('(?=a)')).toMatchObject({ ok: false })
  })
})

describe('Tsdb.table', () => {
  const BUCKETS: readonly SeriesName[] = [
    { name: 'ms_bucket', bound: '1' },
    { name: 'ms_bucket', bound: '+Inf' },
    { name: 'ms_count' }
  ]
  const base = Labels.of({ job: 'a', pod: 'x' })
  const bucket = (bound: string): Labels => Labels.of({ __name__: 'ms_bucket', job: 'a', le: bound, pod: 'x' })
  const filled = (): { readonly db: Tsdb; readonly table: SampleTable } => {
    const db = new Tsdb()
    const table = db.table(base, BUCKETS)
    if (table === undefined) throw new Error('the series were there before')
    db.appendRow(table, 10, [0, 1, 2, 3], 1)
    db.appendRow(table, 20, [4, 5, 6])
    return { db, table }
  }
  const samples = (db: Tsdb, labels: Labels): unknown[] => {
    const series = db.series(labels)
    return Array.from({ length: series.to - series.from }, (_, index) => {
      const row = series.from + index
      return [series.timeAt(row), series.isStale(row) ? 'stale' : series.valueAt(row)]
    })
  }

  it('holds a series per column, found by its labels and by matchers', () => {
    const { db, table } = filled()
    expect(db.seriesCount).toBe(3)
    expect(db.series(bucket('+Inf'))).toBe(table.seriesAt(1))
    expect(samples(db, bucket('1'))).toEqual([
      [10, 1],
      [20, 4]
    ])
    const found = db.select([new Matcher('__name__', '=~', 'ms_.*'), new Matcher('le', '!=', '1')])
    expect(found.map(({ labels }) => labels.toString()).sort()).toEqual([
      '{__name__="ms_bucket", job="a", le="+Inf", pod="x"}',
      '{__name__="ms_count", job="a", pod="x"}'
    ])
  })
  it('is the same for the same labels and names, and refused where some of the series are there already', () => {
    const { db, table } = filled()
    expect(db.table(base, BUCKETS)).toBe(table)
    expect(db.table(base, [{ name: 'ms_count' }])).toBeUndefined()
    db.append(Labels.of({ __name__: 'up' }), 10, 1)
    expect(db.table(base, [{ name: 'up' }])).toBeUndefined()
  })
  it('dissolves when one of its series gets a sample for itself', () => {
    const { db, table } = filled()
    const held = table.seriesAt(0)
    db.appendRow(table, 30)
    expect(db.append(bucket('1'), 40, 7)).toBe('added')
    expect(table.dissolved).toBe(true)
    expect(db.series(bucket('1'))).toBe(held)
    expect(samples(db, bucket('1'))).toEqual([
      [10, 1],
      [20, 4],
      [30, 'stale'],
      [40, 7]
    ])
    expect(samples(db, bucket('+Inf'))).toEqual([
      [10, 2],
      [20, 5],
      [30, 'stale']
    ])
    expect(db.seriesCount).toBe(3)
  })
  it('a selection sees what comes after it was made, in the order of labels', () => {
    const { db } = filled()
    const selection = db.selection([new Matcher('__name__', '=', 'ms_bucket')])
    expect(selection.series()).toHaveLength(2)
    const other = db.table(Labels.of({ job: 'a', pod: 'w' }), BUCKETS)
    expect(other).toBeDefined()
    expect(selection.series().map(({ labels }) => `${labels.get('le')} ${labels.get('pod')}`)).toEqual([
      '+Inf w',
      '+Inf x',
      '1 w',
      '1 x'
    ])
  })
  it('a selection of any tables is in the order of labels (seed 42)', () => {
    const LISTS: readonly (readonly SeriesName[])[] = [
      BUCKETS,
      [{ name: 'ms_bucket', bound: '5' }],
      [{ name: 'ms_bucket' }, { name: 'ms_total' }]
    ]
    const value = fc.constantFrom('', 'x', 'y')
    const tables = fc.array(
      fc.tuple(fc.record({ A: value, a: value, job: value, pod: value, zone: value }), fc.nat(LISTS.length - 1)),
      { maxLength: 12 }
    )
    const matcher = fc.constantFrom(
      new Matcher('__name__', '=', 'ms_bucket'),
      new Matcher('__name__', '=~', 'ms_.*'),
      new Matcher('le', '!=', '1')
    )
    const property = fc.property(tables, matcher, (made, one) => {
      const db = new Tsdb()
      const selection = db.selection([one])
      for (const [labels, list] of made) {
        db.table(Labels.of(labels), LISTS[list] ?? BUCKETS)
        const found = selection.series().map((series) => series.labels)
        expect(found.map(String)).toEqual(
          db
            .select([one])
            .map(({ labels: own }) => own)
            .sort(compareLabels)
            .map(String)
        )
      }
    })
    fc.assert(property, { seed: 42 })
  })
})
