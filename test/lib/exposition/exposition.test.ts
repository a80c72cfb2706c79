import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatSeries, parseExposition, printTextFormat, SeriesMemory } from '../../../src/lib/exposition/index.ts'
import { Labels } from '../../../src/lib/tsdb/index.ts'

describe('parseExposition', () => {
  it('reads samples, times and metadata', () => {
    const outcome = parseExposition('# HELP a One\\ntwo\n# TYPE a counter\na{x="q\\"b"} 3 1000\n', 'text/plain')
    expect(outcome).toMatchObject({ ok: true, samples: [{ value: 3, timestampMs: 1000 }] })
    const metadata = outcome.ok ? outcome.metadata.get('a') : undefined
    expect(metadata).toEqual({ type: 'counter', help: 'One\ntwo', unit: '' })
  })
  it('one bad line fails the body', () => {
    expect(parseExposition('a 1\nb\n', '')).toMatchObject({ ok: false })
  })
  it('reads known series without parsing their labels again, to the same result', () => {
    const known = new SeriesMemory()
    const body = 'a{x="1"} 1\na{x="2"} 2.5\nb NaN\n'
    const first = parseExposition(body, '', known)
    const second = parseExposition(body, '', known)
    expect(known.size).toBe(3)
    expect(second).toEqual(first)
  })
  it('follows series that come, go and change places', () => {
    const known = new SeriesMemory()
    for (const body of ['a 1\nb 2\nc 3\n', 'b 2\nc 3\n', 'c 1\nnew{x="1"} 5\nb NaN\na 2\n', 'a 1\na 2\n', '']) {
      expect(parseExposition(body, '', known)).toEqual(parseExposition(body, ''))
    }
  })
  it('a changed line of a known series is still checked', () => {
    const known = new SeriesMemory()
    parseExposition('a{x="1"} 1\n', '', known)
    expect(parseExposition('a{x="1"} one\n', '', known)).toMatchObject({ ok: false })
    expect(parseExposition('a{x="1"} 1 5\n', '', known)).toMatchObject({ ok: true, samples: [{ timestampMs: 5 }] })
  })
  it('OpenMetrics needs its end; bytes that are no UTF-8 fail a label value', () => {
    expect(parseExposition('a 1\n', 'application/openmetrics-text; version=1.0.0')).toMatchObject({ ok: false })
    expect(parseExposition(Buffer.from('617b783d22ff227d20310a', 'hex'), '')).toMatchObject({ ok: false })
  })
})

describe('printTextFormat', () => {
  it('what is printed is read again (seed 42)', () => {
    const value = fc.oneof(fc.double(), fc.integer())
    fc.assert(
      fc.property(fc.string(), value, (text, number) => {
        const labels = Labels.of({ __name__: 'a', x: text })
        const outcome = parseExposition(
          printTextFormat([{ name: 'a', type: 'gauge', samples: [{ labels, value: number }] }]),
          ''
        )
        expect(outcome).toMatchObject({ ok: true, samples: [{ value: number }] })
        expect(outcome.ok ? outcome.samples[0]?.labels.key : '').toBe(labels.key)
      }),
      { seed: 42 }
    )
  })
  it('formatSeries: leaves braces out without labels', () => {
    expect(formatSeries(Labels.of({ __name__: 'up' }))).toBe('up')
  })
})
