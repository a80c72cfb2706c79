import { checkedLabels, scanLabels, type LabelSetPatterns } from './labels.ts'
import type { SeriesMemory } from './series-memory.ts'
import type { Sink } from './sink.ts'
import { ExpositionError, parseFloatText, Scanner } from './scanner.ts'

const BLANK = /[ \t]+/y
const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y
const META_NAME = /"(?:\\.|[^\\"])*"|[a-zA-Z_:][a-zA-Z0-9_:]*/sy
const META = /#[ \t]+(?:HELP|TYPE)[ \t]+/y
const COMMENT = /#[^\n]*/y
const REST = /[^\n]*/y
const OPEN = /\{/y
const VALUE = /[^{ \t\n]+/y
const TIMESTAMP = /[0-9]+/y
const NEWLINE = /\n/y
const PATTERNS: LabelSetPatterns = { blank: BLANK, value: /"(?:\\.|[^\\"])*"/sy, lenient: true }
const PLAIN_NUMBER = /^\d+(?:\.\d+)?$/
const TYPES = new Set(['counter', 'gauge', 'histogram', 'summary', 'untyped'])
/** A whole plain line: series, value, no timestamp. Only trusted for series that were parsed before. */
const PLAIN_LINE = /([a-zA-Z_:][a-zA-Z0-9_:]*(?:\{[^\n]*\})?) ([^ \t\n{}"]+)\n/y

/**
 * Reads a body of the Prometheus text format 0.0.4.
 * @param known - what earlier bodies of the target had
 * @throws ExpositionError
 * @see prometheus model/textparse/promparse.go and promlex.l, v2.55.1
 */
export function readTextFormat(body: string, damaged: boolean, known: SeriesMemory, sink: Sink): void {
  const scanner = new Scanner(body.endsWith('\n') ? body : `${body}\n`, damaged)
  while (!scanner.atEnd) {
    if (readKnownLine(scanner, known, sink)) continue
    const start = scanner.position
    scanner.take(BLANK)
    if (scanner.take(NEWLINE) !== undefined) continue
    const meta = scanner.take(META)
    if (meta !== undefined) readMeta(scanner, meta.includes('HELP'), sink)
    else if (scanner.take(COMMENT) === undefined) readSample(scanner, start, known, sink)
    if (scanner.take(NEWLINE) === undefined) {
      throw new ExpositionError(`expected linebreak, got ${JSON.stringify(scanner.here)}`)
    }
  }
}

function readKnownLine(scanner: Scanner, known: SeriesMemory, sink: Sink): boolean {
  const { text, position } = scanner
  const expected = known.expected
  if (expected === undefined) return known.size > 0 && readSeenLine(scanner, known, sink)
  const after = position + expected.length
  // A slice compares as a block of memory; startsWith is three times slower here.
  if (text[after] === ' ' && text.slice(position, after) === expected) {
    const from = after + 1
    const end = text.indexOf('\n', from)
    const value = text.slice(from, end)
    const labels = PLAIN_NUMBER.test(value) ? known.labelsOf(expected) : undefined
    if (labels !== undefined) {
      scanner.position = end + 1
      known.note(expected, labels)
      sink.sample(expected, labels, Number(value), undefined)
      return true
    }
  }
  return known.size > 0 && readSeenLine(scanner, known, sink)
}

/** A line of a series seen before that did not stand here in the last body. */
function readSeenLine(scanner: Scanner, known: SeriesMemory, sink: Sink): boolean {
  PLAIN_LINE.lastIndex = scanner.position
  const match = PLAIN_LINE.exec(scanner.text)
  const series = match?.[1]
  const labels = series === undefined ? undefined : known.labelsOf(series)
  if (series === undefined || labels === undefined) return false
  scanner.position = PLAIN_LINE.lastIndex
  known.note(series, labels)
  sink.sample(series, labels, parseFloatText(match?.[2] ?? ''), undefined)
  return true
}

function readMeta(scanner: Scanner, isHelp: boolean, sink: Sink): void {
  const name = scanner.take(META_NAME)
  const keyword = isHelp ? 'HELP' : 'TYPE'
  if (name === undefined) throw new ExpositionError(`expected metric name after ${keyword}`)
  const text = (scanner.take(REST) ?? '').slice(1)
  const metric = name.startsWith('"') ? name.slice(1, -1) : name
  if (isHelp) {
    if (scanner.isInvalid(text))
      throw new ExpositionError(`help text ${JSON.stringify(text)} is not a valid utf8 string`)
    sink.help(
      metric,
      text.replace(/\\([\\n])/g, (_, char: string) => (char === 'n' ? '\n' : char))
    )
    return
  }
  if (!TYPES.has(text)) throw new ExpositionError(`invalid metric type ${JSON.stringify(text)}`)
  sink.type(metric, text === 'untyped' ? 'unknown' : text)
}

function readSample(scanner: Scanner, start: number, known: SeriesMemory, sink: Sink): void {
  let name = scanner.take(NAME) === undefined ? undefined : scanner.text.slice(start, scanner.position)
  const named = name !== undefined
  const nameEnd = scanner.position
  if (named) scanner.take(BLANK)
  let pairs: [string, string][] = []
  let end = nameEnd
  if (scanner.take(OPEN) !== undefined) {
    const set = scanLabels(scanner, PATTERNS, !named)
    pairs = set.pairs
    name ??= set.quotedName
    end = scanner.position
  } else if (!named) {
    throw new ExpositionError(`expected a valid start token, got ${JSON.stringify(scanner.here)}`)
  }
  if (name === undefined) throw new ExpositionError('metric name not set')
  scanner.take(BLANK)
  const value = scanner.take(VALUE)
  if (value === undefined) throw new ExpositionError(`expected value after metric, got ${JSON.stringify(scanner.here)}`)
  const series = scanner.text.slice(start, end)
  const labels = checkedLabels(name, pairs)
  const number = parseFloatText(value)
  scanner.take(BLANK)
  const timestamp = scanner.take(TIMESTAMP)
  scanner.take(BLANK)
  known.note(series, labels)
  sink.sample(series, labels, number, timestamp === undefined ? undefined : Number(timestamp))
}
