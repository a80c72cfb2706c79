import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { StatRow } from '../../../src/model/viz/stat.ts'
import { statText, type TableOptions } from '../../../src/model/viz/table.ts'

const PLAIN: TableOptions = { output: 'table', allNamespaces: false, unmeshed: false }
const WINDOW_MS = 60_000

function row(over: Partial<StatRow>): StatRow {
  return {
    type: 'deployment',
    namespace: 'emojivoto1',
    name: 'emoji',
    windowMs: WINDOW_MS,
    pods: { meshed: 1, total: 2 },
    stats: { success: 123, failure: 0, p50: 123, p95: 123, p99: 123 },
    ...over
  }
}

function leaf(name: string, weight: string, over: Partial<StatRow> = {}): StatRow {
  const { pods: _none, ...base } = row({ type: 'trafficsplit', name: 'foo-split', namespace: 'default', ...over })
  return { ...base, split: { apex: 'apex_name', leaf: name, weight } }
}

describe('statText()', () => {
  // Shapes of linkerd2 edge-26.8.3 viz/cmd/testdata and stable-2.9.5 cli/cmd/testdata, with - for connections.
  test('prints a row as Linkerd does', () => {
    expect(statText([row({})], PLAIN)).toBe(
      'NAME    MESHED   SUCCESS      RPS   LATENCY_P50   LATENCY_P95   LATENCY_P99   TCP_CONN\n' +
        'emoji      1/2   100.00%   2.0rps         123ms         123ms         123ms          -\n'
    )
  })

  test('names namespaces with -A', () => {
    const rows = [row({ namespace: 'emojivoto2' }), row({})]
    expect(statText(rows, { ...PLAIN, allNamespaces: true })).toBe(
      'NAMESPACE    NAME    MESHED   SUCCESS      RPS   LATENCY_P50   LATENCY_P95   LATENCY_P99   TCP_CONN\n' +
        'emojivoto1   emoji      1/2   100.00%   2.0rps         123ms         123ms         123ms          -\n' +
        'emojivoto2   emoji      1/2   100.00%   2.0rps         123ms         123ms         123ms          -\n'
    )
  })

  test('gives pods a status, wide tables the columns of bytes', () => {
    const pod = row({ type: 'pod', pods: { meshed: 1, total: 1 }, status: 'Running' })
    expect(statText([pod], { ...PLAIN, output: 'wide' })).toBe(
      'NAME     STATUS   MESHED   SUCCESS      RPS   LATENCY_P50   LATENCY_P95   LATENCY_P99   TCP_CONN   READ_BYTES/SEC   WRITE_BYTES/SEC\n' +
        'emoji   Running      1/1   100.00%   2.0rps         123ms         123ms         123ms          -                -                 -\n'
    )
  })

  test('gives a traffic split a row per leaf with its weight', () => {
    expect(statText([leaf('service-2', '100m'), leaf('service-1', '900m')], PLAIN)).toBe(
      'NAME        APEX        LEAF        WEIGHT   SUCCESS      RPS   LATENCY_P50   LATENCY_P95   LATENCY_P99\n' +
        'foo-split   apex_name   service-1     900m   100.00%   2.0rps         123ms         123ms         123ms\n' +
        'foo-split   apex_name   service-2     100m   100.00%   2.0rps         123ms         123ms         123ms\n'
    )
  })

  test('prints - where nothing was measured, and sorts as the real one does', () => {
    const { stats: _none, ...silent } = row({ name: 'podinfo', pods: { meshed: 0, total: 0 } })
    const failing = row({ name: 'podinfo-primary', stats: { success: 1199, failure: 1, p50: 1, p95: 12, p99: 1900 } })
    expect(statText([failing, silent], { ...PLAIN, unmeshed: true })).toBe(
      'NAME              MESHED   SUCCESS       RPS   LATENCY_P50   LATENCY_P95   LATENCY_P99   TCP_CONN\n' +
        'podinfo              0/0         -         -             -             -             -          -\n' +
        'podinfo-primary      1/2    99.92%   20.0rps           1ms          12ms        1900ms          -\n'
    )
    expect(statText([failing, silent], PLAIN)).not.toMatch(/^podinfo /m)
  })

  test('prints a table per type, names prefixed by it', () => {
    const { pods: _none, ...service } = row({ type: 'service', name: 'web' })
    expect(statText([service, row({})], PLAIN)).toBe(
      'NAME           MESHED   SUCCESS      RPS   LATENCY_P50   LATENCY_P95   LATENCY_P99   TCP_CONN\n' +
        'deploy/emoji      1/2   100.00%   2.0rps         123ms         123ms         123ms          -\n' +
        '\n' +
        'NAME           MESHED   SUCCESS      RPS   LATENCY_P50   LATENCY_P95   LATENCY_P99   TCP_CONN\n' +
        'svc/web             -   100.00%   2.0rps         123ms         123ms         123ms          -\n'
    )
  })

  test('rounds as Go does: 0.25rps is 0.2rps, 0.75rps is 0.8rps', () => {
    const rate = (count: number): string =>
      statText([row({ stats: { success: count, failure: 0, p50: 1, p95: 1, p99: 1 } })], PLAIN)
    expect(rate(15)).toContain(' 0.2rps ')
    expect(rate(45)).toContain(' 0.8rps ')
  })

  test('prints JSON with the keys of the real one; null where nothing was measured', () => {
    const { stats: _none, ...silent } = leaf('service-2', '100m')
    expect(statText([leaf('service-1', '900m'), silent], { ...PLAIN, output: 'json' })).toBe(
      `[
  {
    "namespace": "default",
    "kind": "trafficsplit",
    "name": "foo-split",
    "success": 1,
    "rps": 2.05,
    "latency_ms_p50": 123,
    "latency_ms_p95": 123,
    "latency_ms_p99": 123,
    "apex": "apex_name",
    "leaf": "service-1",
    "weight": "900m"
  },
  {
    "namespace": "default",
    "kind": "trafficsplit",
    "name": "foo-split",
    "success": null,
    "rps": null,
    "latency_ms_p50": null,
    "latency_ms_p95": null,
    "latency_ms_p99": null,
    "apex": "apex_name",
    "leaf": "service-2",
    "weight": "100m"
  }
]
`
    )
    expect(statText([], { ...PLAIN, output: 'json' })).toBe('[]\n')
    expect(statText([], PLAIN)).toBe('')
  })

  test('keeps all lines of a table equally long, whatever the names', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,40}$/)
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 6 }), fc.boolean(), (names, allNamespaces) => {
        const text = statText(
          names.map((one) => row({ name: one, namespace: `ns-${one}` })),
          { ...PLAIN, allNamespaces }
        )
        expect(
          new Set(
            text
              .trimEnd()
              .split('\n')
              .map((line) => line.length)
          ).size
        ).toBe(1)
      }),
      { seed: 7 }
    )
  })
})
