import { describe, expect, it } from 'vitest'
import { createEngine } from '../../../src/lib/promql/index.ts'
import { Tsdb } from '../../../src/lib/tsdb/index.ts'
import type { Effect } from '../../../src/model/canary/index.ts'
import { absenceCause, TickEvidence } from '../../../src/world/joint/index.ts'
import { LineFormatter } from '../../../src/trace/index.ts'

const QUERY = 'sum(rate(response_total{deployment="podinfo"}[1m]))'
const OWN = 'http://prometheus.linkerd-viz:9090/api/v1/query'
const context = { canary: 'podinfo.test', tick: 5 }

const emptyEngine = createEngine({ db: new Tsdb() })

const asked = (url: string): Effect => ({
  effect: 'query',
  metric: 'request-success-rate',
  query: QUERY,
  request: { method: 'GET', url, headers: {}, timeoutMs: 5000 }
})

const halt = (reason: 'halt-no-values' | 'halt-metric-error' | 'halt-metric', value?: number): Effect => ({
  effect: 'decision',
  canary: 'podinfo.test',
  reason,
  message: 'Halt',
  evidence: [{ metric: 'request-success-rate', query: QUERY, ...(value === undefined ? {} : { value }) }]
})

function causeOf(url: string, decision: Effect): string | undefined {
  const evidence = new TickEvidence((question) => absenceCause(emptyEngine, question, 60_000))
  evidence.complete(asked(url), context)
  const completed = evidence.complete(decision, context)
  return completed.effect === 'decision' ? completed.evidence[0]?.absentBecause : undefined
}

describe('TickEvidence', () => {
  it('says why a check found no values', () => {
    expect(causeOf(OWN, halt('halt-no-values'))).toBe('no series: no series response_total')
  })

  it('names the server when the query was put to another one', () => {
    expect(causeOf('http://metrics.example:9090/api/v1/query', halt('halt-no-values'))).toBe(
      "wrong server: http://metrics.example:9090 is not the mesh's Prometheus"
    )
  })

  it('tells an answer that was an error from one without values', () => {
    expect(causeOf(OWN, halt('halt-metric-error'))).toBe('query error')
  })

  it('has no cause where there is a value', () => {
    expect(causeOf(OWN, halt('halt-metric', 12))).toBeUndefined()
  })
})

describe('LineFormatter', () => {
  it('shows the cause behind the message', () => {
    const lines = new LineFormatter()
    const base = { atMs: 50_000, seq: 0, canary: 'podinfo.test', tick: 5 } as const
    const evidence = [
      { metric: 'request-success-rate', query: '', absentBecause: 'no series: no series x', userRequests: 0 }
    ]
    lines.format({ ...base, kind: 'decision', reason: 'halt-no-values', message: '', evidence })
    const line = lines.format({ ...base, kind: 'event', type: 'Warning', message: 'Halt advancement', phase: '' })
    expect(line).toContain('no values of 0 ')
    expect(line).toMatch(/Halt advancement {2}\(no values: no series: no series x\)$/)
  })
})
