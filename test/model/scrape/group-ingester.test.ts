import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { printTextFormat } from '../../../src/lib/exposition/index.ts'
import { compareLabels, Labels, Tsdb } from '../../../src/lib/tsdb/index.ts'
import type { CounterFamily, CounterGroup, ScrapeConfig } from '../../../src/model/scrape/index.ts'
import { exposedLabels } from '../../../src/model/scrape/group-ingester.ts'
import { TargetIngester } from '../../../src/model/scrape/ingest.ts'
import { isTarget, makeTarget } from '../../../src/model/scrape/target.ts'

/** A group that grows in place, as the proxies of the virtual world have them. */
interface Growing {
  readonly families: CounterFamily[]
  readonly values: number[]
}

const LABELS = ['direction', 'instance', 'pod', 'le', 'exported_pod', 'Zone', 'status_code', '_x'] as const
const VALUES = ['', 'a', 'b"\\\n', '10.1.0.1:4191', 'ü'] as const

const labelsOf = (names: readonly string[]): fc.Arbitrary<Record<string, string>> =>
  fc.dictionary(fc.constantFrom(...names), fc.constantFrom(...VALUES), { maxKeys: 5 })

const family: fc.Arbitrary<CounterFamily> = fc
  .record({
    labels: labelsOf(LABELS.filter((name) => name !== 'le')),
    bounds: fc.uniqueArray(fc.constantFrom('1', '2.5', '+Inf'), { maxLength: 3 }),
    names: fc.uniqueArray(fc.constantFrom('request_total', 'up', 'latency_ms_sum'), { maxLength: 3 })
  })
  .map(({ labels, bounds, names }) => ({
    labels: Labels.of(labels),
    series: [...names.map((name) => ({ name })), ...bounds.map((bound) => ({ name: 'latency_ms_bucket', bound }))]
  }))

/** What happens between two scrapes: a group comes, goes or grows, or the next scrape fails. */
const step = fc.oneof(
  fc.record({ kind: fc.constant('come' as const), family }),
  fc.record({ kind: fc.constant('go' as const), at: fc.nat(5) }),
  fc.record({ kind: fc.constant('grow' as const), at: fc.nat(5), family, by: fc.nat(100) }),
  fc.record({ kind: fc.constant('fail' as const) }),
  fc.record({ kind: fc.constant('wait' as const) })
)

const config: fc.Arbitrary<ScrapeConfig> = fc.record(
  {
    jobName: fc.constant('proxies'),
    honorLabels: fc.boolean(),
    sampleLimit: fc.constantFrom(0, 4),
    metricRelabelRules: fc.constantFrom(
      [],
      [{ sourceLabels: ['le'], regex: '1', action: 'drop' as const }],
      [{ regex: 'pod', action: 'labeldrop' as const }]
    )
  },
  { requiredKeys: ['jobName'] }
)

/** A body has each series once; of groups that would show one twice only the first keeps it. */
function withoutRepeats(groups: readonly Growing[]): CounterGroup[] {
  const seen = new Set<string>()
  return groups.filter(({ families }) => {
    const keys = families.flatMap((each) => each.series.map((name) => exposedLabels(each, name).key))
    if (new Set(keys).size < keys.length || keys.some((key) => seen.has(key))) return false
    for (const key of keys) seen.add(key)
    return true
  })
}

function printed(groups: readonly CounterGroup[]): string {
  return groups
    .map(({ families, values }) => {
      let place = 0
      const samples = families.flatMap((each) =>
        each.series.map((name) => ({
          labels: exposedLabels(each, name),
          value: values[place++] ?? 0
        }))
      )
      return printTextFormat(samples.map((sample) => ({ name: sample.labels.metricName, samples: [sample] })))
    })
    .join('')
}

/** Everything a database holds. */
function contents(db: Tsdb): unknown {
  return db
    .select([])
    .toSorted((left, right) => compareLabels(left.labels, right.labels))
    .map((series) => ({
      labels: series.labels.toRecord(),
      samples: Array.from({ length: series.to - series.from }, (_, index) => {
        const at = series.from + index
        return [series.timeAt(at), series.isStale(at) ? 'stale' : series.valueAt(at)]
      })
    }))
}

function change(groups: Growing[], next: { readonly kind: string; readonly at?: number; readonly by?: number }): void {
  const { family: born } = next as { readonly family?: CounterFamily }
  const at = (next.at ?? 0) % Math.max(1, groups.length)
  if (next.kind === 'go') groups.splice(at, 1)
  if (next.kind === 'come') groups.push({ families: [], values: [] })
  const group = next.kind === 'come' ? groups.at(-1) : groups[at]
  if (born === undefined || group === undefined) return
  for (let place = 0; place < group.values.length; place++)
    group.values[place] = (group.values[place] ?? 0) + (next.by ?? 0)
  group.families.push(born)
  for (const _ of born.series) group.values.push(0)
}

describe('TargetIngester', () => {
  it('stores of counted groups exactly what it stores of their printed body (seed 42)', () => {
    fc.assert(
      fc.property(config, labelsOf(LABELS), fc.array(step, { maxLength: 12 }), (job, labels, steps) => {
        const target = makeTarget(job, { ...labels, __address__: '10.1.0.1:4191' })
        if (!isTarget(target)) throw new Error('the target was dropped')
        const fast = new Tsdb()
        const slow = new Tsdb()
        const fastIngester = new TargetIngester(fast, target)
        const slowIngester = new TargetIngester(slow, target)
        const groups: Growing[] = []
        steps.forEach((next, index) => {
          change(groups, next)
          const shown = withoutRepeats(groups)
          const timeMs = index * 10_000
          const failed = { ok: false, error: 'refused', durationMs: 3 } as const
          const isFailing = next.kind === 'fail'
          const body = { ok: true, body: printed(shown), contentType: '', durationMs: 3 } as const
          const fastReport = fastIngester.ingest(
            isFailing ? failed : { ok: true, groups: shown, durationMs: 3 },
            timeMs
          )
          expect(fastReport).toEqual(slowIngester.ingest(isFailing ? failed : body, timeMs))
        })
        fastIngester.end(steps.length * 10_000)
        slowIngester.end(steps.length * 10_000)
        expect(contents(fast)).toEqual(contents(slow))
      }),
      { seed: 42, numRuns: 300 }
    )
  })
})
