import type { ShellLoadSample } from '../ports.ts'

/** Most latencies that hey keeps for its distribution (hey 0.1.4, requester/report.go `maxRes`). */
const LATENCIES_MAX = 1_000_000

const HISTOGRAM_BUCKETS = 10
const BAR_WIDTH = 40
const PERCENTILES = [10, 25, 50, 75, 90, 95, 99] as const

/**
 * Prints hey's summary (hey 0.1.4, requester/print.go), its slips included: percentiles it has no sample for read
 * `0% in 0.0000 secs`, and `DNS+dialup` shows the fastest and slowest whole request.
 * @param totalMs - simulated duration of the run
 */
export function heyReport(
  samples: readonly ShellLoadSample[],
  totalMs: number,
  describe: (sample: ShellLoadSample) => string
): string {
  const answered = samples.filter((sample) => sample.status !== undefined)
  const latencies = answered
    .slice(0, LATENCIES_MAX)
    .map((sample) => sample.latencyMs / 1000)
    .toSorted((a, b) => a - b)
  const fastest = latencies[0] ?? 0
  const slowest = latencies.at(-1) ?? 0
  const average =
    latencies.length === 0 ? Number.NaN : latencies.reduce((sum, value) => sum + value, 0) / latencies.length
  const bytes = answered.reduce((sum, sample) => sum + sample.bytes, 0)
  const size =
    bytes > 0 ? `\n  Total data:\t${bytes} bytes\n  Size/request:\t${Math.floor(bytes / answered.length)} bytes` : ''
  const zero = latencies.length === 0 ? Number.NaN : 0
  return [
    '',
    'Summary:',
    `  Total:\t${fixed(totalMs / 1000)} secs`,
    `  Slowest:\t${fixed(slowest)} secs`,
    `  Fastest:\t${fixed(fastest)} secs`,
    `  Average:\t${fixed(average)} secs`,
    `  Requests/sec:\t${fixed(samples.length / (totalMs / 1000))}`,
    `  ${size}`,
    '',
    'Response time histogram:',
    histogram(latencies, fastest, slowest),
    '',
    'Latency distribution:',
    ...percentiles(latencies),
    '',
    'Details (average, fastest, slowest):',
    `  DNS+dialup:\t${fixed(zero)} secs, ${fixed(fastest)} secs, ${fixed(slowest)} secs`,
    `  DNS-lookup:\t${fixed(zero)} secs, 0.0000 secs, 0.0000 secs`,
    `  req write:\t${fixed(zero)} secs, 0.0000 secs, 0.0000 secs`,
    `  resp wait:\t${fixed(average)} secs, ${fixed(fastest)} secs, ${fixed(slowest)} secs`,
    `  resp read:\t${fixed(zero)} secs, 0.0000 secs, 0.0000 secs`,
    '',
    'Status code distribution:',
    ...counted(answered.map((sample) => `[${sample.status ?? 0}]`)).map(
      ([status, count]) => `  ${status}\t${count} responses`
    ),
    '',
    ...errors(samples, describe),
    ''
  ].join('\n')
}

function errors(samples: readonly ShellLoadSample[], describe: (sample: ShellLoadSample) => string): readonly string[] {
  const failures = samples.filter((sample) => sample.error !== undefined)
  if (failures.length === 0) return ['', '']
  return ['Error distribution:', ...counted(failures.map(describe)).map(([text, count]) => `  [${count}]\t${text}`), '']
}

function counted(keys: readonly string[]): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>()
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
  return [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1))
}

function histogram(latencies: readonly number[], fastest: number, slowest: number): string {
  if (latencies.length === 0) return ''
  const bounds: number[] = []
  for (let index = 0; index < HISTOGRAM_BUCKETS; index++) {
    bounds.push(fastest + ((slowest - fastest) / HISTOGRAM_BUCKETS) * index)
  }
  bounds.push(slowest)
  const counts = bounds.map(() => 0)
  for (const latency of latencies) {
    const found = bounds.findIndex((bound) => latency <= bound)
    const bucket = found < 0 ? HISTOGRAM_BUCKETS : found
    counts[bucket] = (counts[bucket] ?? 0) + 1
  }
  const highest = Math.max(...counts)
  return counts
    .map((count, index) => {
      const width = Math.floor((count * BAR_WIDTH + Math.floor(highest / 2)) / highest)
      return `  ${(bounds[index] ?? 0).toFixed(3)} [${count}]\t|${'■'.repeat(width)}\n`
    })
    .join('')
}

function percentiles(sorted: readonly number[]): readonly string[] {
  if (sorted.length === 0) return []
  const found: (readonly [number, number])[] = []
  let index = 0
  for (const percentile of PERCENTILES) {
    while (index < sorted.length && Math.floor((index * 100) / sorted.length) < percentile) index++
    const latency = sorted[index]
    found.push(latency === undefined || latency <= 0 ? [0, 0] : [percentile, latency])
    index++
  }
  return found.map(([percentile, latency]) => `  ${percentile}% in ${fixed(latency)} secs`)
}

/** Go's `%4.4f`. */
function fixed(value: number): string {
  return Number.isNaN(value) ? ' NaN' : value.toFixed(4)
}
