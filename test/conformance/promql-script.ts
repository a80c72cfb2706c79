import { Labels, Tsdb } from '../../src/lib/tsdb/index.ts'
import {
  createEngine,
  durationSeconds,
  type Engine,
  numberValue,
  parsePromql,
  type QueryOutcome
} from '../../src/lib/promql/index.ts'

/** One sample of a script: a number, nothing, a staleness marker, or a native histogram, which the engine lacks. */
type ScriptValue = number | 'missing' | 'stale' | 'histogram'

interface SeriesLine {
  readonly labels: Labels
  readonly values: readonly ScriptValue[]
}

interface Expectation {
  readonly kind: string
  readonly text: string
}

/** One `eval` of a script with what it expects. */
export interface ScriptEval {
  readonly line: number
  readonly expr: string
  readonly instantMs: number | undefined
  readonly range: { startMs: number; endMs: number; stepMs: number } | undefined
  readonly expectations: readonly Expectation[]
  readonly body: readonly string[]
}

const NUMBER = String.raw`[+-]?(?:inf|nan|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)`
const REPEATED = new RegExp(`^(${NUMBER})(?:([+-])(${NUMBER}))?x(\\d+)$`, 'i')
const DEFAULT_STEP_MS = 60_000

/** Runs one script; yields each eval's line and first difference (undefined: passed). */
export function* runScript(
  source: string,
  version: 'v2' | 'v3'
): Generator<{ line: number; difference: string | undefined }> {
  const db = new Tsdb({ retentionMs: Number.MAX_SAFE_INTEGER })
  const engine = createEngine({
    db,
    version,
    // On in the reference runner of both versions.
    delayedNameRemoval: true,
    experimentalFunctions: true,
    defaultStepMs: DEFAULT_STEP_MS
  })
  const lines = source.split('\n').map((line) => line.trim())
  let index = 0
  while (index < lines.length) {
    const head = lines[index] ?? ''
    const headLine = index + 1
    index++
    if (head === '' || head.startsWith('#')) continue
    if (head === 'clear') {
      db.clear()
      continue
    }
    const body: string[] = []
    while (index < lines.length && lines[index] !== '') {
      const line = lines[index++] ?? ''
      if (line.startsWith('#')) break
      body.push(line)
    }
    if (head.startsWith('load')) load(db, head, body)
    else if (head.startsWith('eval')) yield { line: headLine, difference: check(engine, head, body, headLine) }
  }
}

function check(engine: Engine, head: string, body: readonly string[], line: number): string | undefined {
  try {
    const parsed = parseEval(head, body, line)
    if (parsed === undefined) return `cannot read ${head}`
    return compare(engine, parsed)
  } catch (error) {
    return `thrown: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
  }
}

/** Milliseconds of a script's duration or time. */
function duration(text: string): number {
  const negative = text.startsWith('-')
  const seconds = durationSeconds(text.replace(/^-/, '')) ?? Number(text.replace(/^-/, ''))
  return Math.round(seconds * 1000) * (negative ? -1 : 1)
}

function load(db: Tsdb, head: string, body: readonly string[]): void {
  const stepMs = duration(head.split(/\s+/)[1] ?? '0')
  const series = new Map<string, SeriesLine>()
  for (const line of body) {
    if (/@st\s/.test(line)) continue
    const parsed = seriesLine(line)
    series.set(parsed.labels.key, parsed)
  }
  for (const { labels, values } of series.values()) {
    values.forEach((value, index) => {
      if (value === 'stale') db.appendStale(labels, index * stepMs)
      else if (typeof value === 'number') db.append(labels, index * stepMs, value)
    })
  }
}

function seriesLine(line: string): SeriesLine {
  const split = seriesEnd(line)
  return { labels: seriesLabels(line.slice(0, split).trim()), values: scriptValues(line.slice(split).trim()) }
}

/** Index of the blank between a series and its values. */
function seriesEnd(line: string): number {
  let quoted = ''
  let depth = 0
  for (let index = 0; index < line.length; index++) {
    const char = line[index] ?? ''
    if (quoted !== '') {
      if (char === '\\' && quoted !== '`') index++
      else if (char === quoted) quoted = ''
    } else if ('"\'`'.includes(char)) quoted = char
    else if (char === '{') depth++
    else if (char === '}') depth--
    else if (/\s/.test(char) && depth === 0 && !/^\s*\{[^{]/.test(line.slice(index))) return index
  }
  return line.length
}

function seriesLabels(text: string): Labels {
  if (text === '{}') return Labels.EMPTY
  const expr = parsePromql(text, { version: 'v3' })
  if (expr.kind !== 'selector') throw new Error(`not a series: ${text}`)
  return Labels.fromPairs(expr.matchers.map((matcher) => [matcher.name, matcher.value]))
}

function scriptValues(text: string): ScriptValue[] {
  const values: ScriptValue[] = []
  for (const token of text.match(/\{\{.*?\}\}(?:[^\s{]*(?:\{\{.*?\}\})?\S*)|\S+/g) ?? []) {
    if (token.startsWith('{{')) values.push('histogram')
    else values.push(...expand(token))
  }
  return values
}

function expand(token: string): ScriptValue[] {
  const missing = /^_(?:x(\d+))?$/.exec(token)
  if (missing !== null) return Array.from({ length: Number(missing[1] ?? 1) }, () => 'missing' as const)
  if (token === 'stale') return ['stale']
  const repeated = REPEATED.exec(token)
  if (repeated === null) return [numberValue(token) ?? Number.NaN]
  const first = numberValue(repeated[1] ?? '') ?? Number.NaN
  const step = (repeated[2] === '-' ? -1 : 1) * (numberValue(repeated[3] ?? '0') ?? 0)
  const made: ScriptValue[] = []
  let value = first
  for (let index = 0; index <= Number(repeated[4]); index++) {
    made.push(value)
    value += step
  }
  return made
}

function parseEval(head: string, body: readonly string[], line: number): ScriptEval | undefined {
  const match =
    /^eval(?:_(fail|warn|info|ordered))?\s+(?:instant\s+(?:at\s+(\S+)\s+)?|range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)\s+)(.+)$/.exec(
      head
    )
  if (match === null) return undefined
  const [, old, at, from, to, step, expr = ''] = match
  const expectations: Expectation[] = old === undefined ? [] : [{ kind: old, text: '' }]
  const rest: string[] = []
  for (const text of body) {
    const expect = /^expect\s+(\w+)\s*(.*)$/.exec(text)
    const oldExpect = /^expected_fail_(message|regexp)\s+(.*)$/.exec(text)
    if (expect !== null) expectations.push({ kind: expect[1] ?? '', text: expect[2] ?? '' })
    else if (oldExpect !== null) {
      expectations.push({
        kind: 'fail',
        text: `${oldExpect[1] === 'message' ? 'msg:' : 'regex:'} ${oldExpect[2] ?? ''}`
      })
    } else rest.push(text)
  }
  const range =
    from === undefined
      ? undefined
      : { startMs: duration(from), endMs: duration(to ?? '0'), stepMs: duration(step ?? '0') }
  return {
    line,
    expr,
    instantMs: range === undefined ? duration(at ?? '0') : undefined,
    range,
    expectations,
    body: rest
  }
}

function compare(engine: Engine, parsed: ScriptEval): string | undefined {
  const outcome =
    parsed.range === undefined
      ? engine.instant(parsed.expr, parsed.instantMs ?? 0)
      : engine.range(parsed.expr, parsed.range)
  const fails = parsed.expectations.filter(({ kind }) => kind === 'fail')
  if (fails.length > 0) return compareFailure(outcome, fails)
  if (!outcome.ok) return `unexpected error: ${outcome.error}`
  return (
    compareAnnotations(outcome, parsed.expectations) ?? compareValue(outcome, parsed) ?? compareAsRange(engine, parsed)
  )
}

const MINUTE_MS = 60_000

/** The reference runner asks every instant query again as the middle step of a range query. */
function compareAsRange(engine: Engine, parsed: ScriptEval): string | undefined {
  const timeMs = parsed.instantMs
  const special = parsed.expectations.some(({ kind }) => ['ordered', 'string', 'range'].includes(kind))
  if (timeMs === undefined || special || /\b(?:start|end|range|step)\s*\(/.test(parsed.expr)) return undefined
  const span = { startMs: timeMs - MINUTE_MS, endMs: timeMs + MINUTE_MS, stepMs: MINUTE_MS }
  const outcome = engine.range(parsed.expr, span)
  if (!outcome.ok) return `as a range: ${outcome.error}`
  if (outcome.value.type !== 'matrix') return `as a range: ${outcome.value.type}`
  const elements = outcome.value.series.flatMap(({ labels, times, values }) => {
    const value = values[times.indexOf(timeMs)]
    return value === undefined ? [] : [{ labels, value }]
  })
  const scalar = elements[0]?.labels.size === 0 && numberValue(parsed.body[0] ?? '') !== undefined
  if (scalar) return compareScalar(elements[0]?.value ?? Number.NaN, parsed)
  const difference = compareValue({ ...outcome, value: { type: 'vector', timeMs, elements } }, parsed)
  return difference === undefined ? undefined : `as a range: ${difference}`
}

function compareFailure(outcome: QueryOutcome, fails: readonly Expectation[]): string | undefined {
  if (outcome.ok) return 'expected an error, got a value'
  for (const { text } of fails) {
    if (text !== '' && !textMatches(outcome.error, text)) return `error ${outcome.error} is not ${text}`
  }
  return undefined
}

/** The scripts state annotations without position and without the details that need one. */
function withoutDetails(annotation: string): string {
  return annotation.replace(/ \(\d+:\d+\)$/, '').replace(/, from buckets .*$/, '')
}

function textMatches(actual: string, wanted: string): boolean {
  const message = /^msg:\s*(.*)$/.exec(wanted)
  if (message !== null) return actual === message[1] || withoutDetails(actual) === message[1]
  const pattern = /^regex:\s*(.*)$/.exec(wanted)
  return pattern !== null && new RegExp(pattern[1] ?? '').test(actual)
}

function compareAnnotations(outcome: QueryOutcome, expectations: readonly Expectation[]): string | undefined {
  for (const [kind, actual] of [
    ['warn', outcome.warnings],
    ['info', outcome.infos]
  ] as const) {
    const wanted = expectations.filter((expectation) => expectation.kind === kind)
    const texts = wanted.map(({ text }) => text).filter((text) => text !== '')
    if (wanted.length > 0 && actual.length === 0) return `expected ${kind}, got none`
    if (expectations.some((expectation) => expectation.kind === `no_${kind}`) && actual.length > 0) {
      return `expected no ${kind}, got ${actual.join('; ')}`
    }
    if (texts.length === 0) continue
    for (const text of texts)
      if (!actual.some((got) => textMatches(got, text))) return `no ${kind} ${text} in ${actual.join('; ')}`
    for (const got of actual) if (!texts.some((text) => textMatches(got, text))) return `unexpected ${kind} ${got}`
  }
  return undefined
}

interface Line {
  readonly labels: Labels
  readonly times: readonly number[]
  readonly values: readonly ScriptValue[]
}

function compareValue(outcome: QueryOutcome & { ok: true }, parsed: ScriptEval): string | undefined {
  const { value } = outcome
  const text = parsed.expectations.find(({ kind }) => kind === 'string')
  if (text !== undefined) {
    if (value.type !== 'string') return `expected a string, got ${value.type}`
    const wanted = parsePromql(text.text)
    return wanted.kind === 'string' && wanted.value === value.value
      ? undefined
      : `string ${value.value} is not ${text.text}`
  }
  if (value.type === 'string') return `unexpected string ${value.value}`
  if (value.type === 'scalar') return compareScalar(value.value, parsed)
  const span = matrixSpan(parsed)
  const wanted = parsed.body.map((line) => expectedLine(line, span, parsed.instantMs ?? 0))
  const actual: Line[] =
    value.type === 'vector'
      ? value.elements.map((element) => ({ labels: element.labels, times: [value.timeMs], values: [element.value] }))
      : value.series.map((series) => ({ labels: series.labels, times: series.times, values: series.values }))
  return compareLines(
    wanted,
    actual,
    parsed.expectations.some(({ kind }) => kind === 'ordered')
  )
}

function compareScalar(actual: number, parsed: ScriptEval): string | undefined {
  const wanted = numberValue(parsed.body[0] ?? '')
  if (wanted === undefined) return `expected ${parsed.body.join(' / ')}, got scalar ${actual}`
  return almostEqual(wanted, actual) ? undefined : `expected ${wanted}, got ${actual}`
}

function matrixSpan(parsed: ScriptEval): { startMs: number; stepMs: number } | undefined {
  if (parsed.range !== undefined) return parsed.range
  const stated = parsed.expectations.find(({ kind }) => kind === 'range')
  const match = /from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)/.exec(stated?.text ?? '')
  if (match === null) return undefined
  return { startMs: duration(match[1] ?? '0'), stepMs: duration(match[3] ?? '0') }
}

function expectedLine(text: string, span: { startMs: number; stepMs: number } | undefined, instantMs: number): Line {
  const { labels, values } = seriesLine(text)
  const times: number[] = []
  const kept: ScriptValue[] = []
  values.forEach((value, index) => {
    if (value === 'missing') return
    times.push(span === undefined ? instantMs : span.startMs + index * span.stepMs)
    kept.push(value)
  })
  return { labels, times, values: kept }
}

function compareLines(wanted: readonly Line[], actual: readonly Line[], ordered: boolean): string | undefined {
  const nonEmpty = wanted.filter((line) => line.values.length > 0)
  const show = (lines: readonly Line[]): string =>
    lines.map((line) => `${String(line.labels)} ${line.values.join(' ')}`).join(' | ')
  const byKey = new Map(actual.map((line, index) => [line.labels.key, { line, index }]))
  for (const [index, line] of nonEmpty.entries()) {
    const found = byKey.get(line.labels.key)
    if (found === undefined) return `missing ${String(line.labels)}; got ${show(actual)}`
    if (ordered && found.index !== index) return `order: ${String(line.labels)} stands at ${found.index}, not ${index}`
    const difference = compareSamples(line, found.line)
    if (difference !== undefined) return `${String(line.labels)}: ${difference}`
  }
  if (actual.length > nonEmpty.length) return `unexpected elements; wanted ${show(nonEmpty)}; got ${show(actual)}`
  return undefined
}

function compareSamples(wanted: Line, actual: Line): string | undefined {
  const text = `wanted ${wanted.values.join(' ')}, got ${actual.values.join(' ')}`
  if (wanted.values.length !== actual.values.length) return text
  for (const [index, value] of wanted.values.entries()) {
    const got = actual.values[index]
    if (wanted.times[index] !== actual.times[index]) return `${text} at other times`
    if (typeof value !== 'number' || typeof got !== 'number' || !almostEqual(value, got)) return text
  }
  return undefined
}

function almostEqual(left: number, right: number): boolean {
  if (left === right || (Number.isNaN(left) && Number.isNaN(right))) return true
  const difference = Math.abs(left - right)
  const sum = Math.abs(left) + Math.abs(right)
  if (left === 0 || right === 0 || sum < Number.MIN_VALUE) return difference < 1e-6 * 2.2250738585072014e-308
  return difference / Math.min(sum, Number.MAX_VALUE) < 1e-6
}
