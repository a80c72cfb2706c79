import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseExposition } from '../../src/lib/exposition/index.ts'
import type { CaseOutcome, ConformanceSuite } from './suite.ts'

interface ExpositionCase {
  readonly id: string
  readonly contentType: string | null
  readonly body?: string
  readonly bodyBase64?: string
  readonly accepted: Readonly<Record<string, boolean>>
  readonly errors?: Readonly<Record<string, string>>
  readonly samples?: readonly { readonly metric: Readonly<Record<string, string>>; readonly value: string }[]
}

/** The version whose verdict counts: the one Linkerd viz ships. */
const VERSION = '2.55.1'
const NOW_MS = 1_795_250_000_000

function bodyOf(item: ExpositionCase): string | Uint8Array {
  if (item.bodyBase64 !== undefined) return Buffer.from(item.bodyBase64, 'base64')
  return (item.body ?? '').replaceAll('<NOWMS>', String(NOW_MS)).replaceAll('<NOWS>', String(NOW_MS / 1000))
}

function check(item: ExpositionCase): string | undefined {
  const outcome = parseExposition(bodyOf(item), item.contentType ?? '')
  const wanted = item.accepted[VERSION] ?? item.accepted['2.42.0']
  if (outcome.ok !== wanted) {
    return outcome.ok
      ? `accepted; rejected by Prometheus: ${item.errors?.[VERSION] ?? ''}`
      : `rejected: ${outcome.error}`
  }
  if (!outcome.ok || item.samples === undefined || item.accepted['2.42.0'] !== true) return undefined
  return checkSamples(outcome, item.samples)
}

type Parsed = ReturnType<typeof parseExposition> & { ok: true }

/** Stored series by name and labels; the first sample of a series stands. */
function checkSamples(outcome: Parsed, wanted: NonNullable<ExpositionCase['samples']>): string | undefined {
  if (wanted.length === 0) return undefined
  const actual = new Map<string, string>()
  for (const sample of outcome.samples) {
    const key = JSON.stringify(Object.entries(sample.labels.toRecord()).sort())
    if (!actual.has(key)) actual.set(key, String(sample.value))
  }
  for (const { metric, value } of wanted) {
    const exported = Object.entries(metric).map(
      ([name, text]) => [name.replace(/^exported_(?=job$|instance$)/, ''), text] as const
    )
    const key = JSON.stringify(exported.sort((left, right) => (left[0] < right[0] ? -1 : 1)))
    const found = actual.get(key)
    if (found === undefined) return `no series ${key} in ${[...actual.keys()].join(' ')}`
    const wantedValue = Number(value.replace('Inf', 'Infinity'))
    if (!Object.is(Number(found), wantedValue) && Number(found) !== wantedValue)
      return `${key}: wanted ${value}, got ${found}`
  }
  return undefined
}

/** Bodies with the verdict of real Prometheus scrapes, and captured files that must parse. */
const suite: ConformanceSuite = {
  name: 'exposition',
  defaultFolder: 'conformance/exposition',
  async *run(folder: string): AsyncIterable<CaseOutcome> {
    for (const name of readdirSync(folder).sort()) {
      if (!name.endsWith('.json')) continue
      for (const item of JSON.parse(readFileSync(join(folder, name), 'utf8')) as ExpositionCase[]) {
        const difference = check(item)
        yield difference === undefined
          ? { id: item.id, passed: true }
          : { id: item.id, passed: false, firstDifference: difference }
      }
    }
    const files = join(folder, 'files')
    for (const name of existsSync(files) ? readdirSync(files).sort() : []) {
      const type = name.endsWith('.om.txt') ? 'application/openmetrics-text' : 'text/plain'
      const outcome = parseExposition(readFileSync(join(files, name)), type)
      const id = `files/${name}`
      yield outcome.ok ? { id, passed: true } : { id, passed: false, firstDifference: outcome.error }
    }
  }
}

export { suite }
