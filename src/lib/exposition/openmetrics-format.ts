import { checkedLabels, scanLabels, type LabelSetPatterns } from './labels.ts'
import { ExpositionError, parseFloatText, Scanner } from './scanner.ts'
import type { SeriesMemory } from './series-memory.ts'
import type { Sink } from './sink.ts'

const META = /# (?:HELP|TYPE|UNIT) /y
const EOF = /# EOF\n?/y
const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y
const META_NAME = /"(?:\\.|[^\\"])*"|[a-zA-Z_:][a-zA-Z0-9_:]*/sy
const META_TEXT = / [^\n]*\n/y
const OPEN = /\{/y
const VALUE = / [^ \n]+/y
const EXEMPLAR = / # \{/y
const NEWLINE = /\n/y
const NOTHING = /(?:)/y
const PATTERNS: LabelSetPatterns = { blank: NOTHING, value: /"(?:\\.|[^\\"\n])*"/sy, lenient: false }
const TYPES = new Set(['counter', 'gauge', 'histogram', 'gaugehistogram', 'summary', 'info', 'stateset', 'unknown'])

/**
 * Reads a body of OpenMetrics 1.0 text as Prometheus does, which is more lenient than the standard.
 * @throws ExpositionError
 * @see prometheus model/textparse/openmetricsparse.go and openmetricslex.l, v2.55.1
 */
export function readOpenMetrics(body: string, damaged: boolean, known: SeriesMemory, sink: Sink): void {
  const scanner = new Scanner(body, damaged)
  for (;;) {
    if (scanner.atEnd) throw new ExpositionError('data does not end with # EOF')
    if (scanner.take(EOF) !== undefined) {
      if (!scanner.atEnd) throw new ExpositionError('unexpected data after # EOF')
      return
    }
    const meta = scanner.take(META)
    if (meta !== undefined) readMeta(scanner, meta.slice(2, 6), sink)
    else readSample(scanner, known, sink)
  }
}

function readMeta(scanner: Scanner, keyword: string, sink: Sink): void {
  const raw = scanner.take(META_NAME)
  if (raw === undefined) throw new ExpositionError(`expected metric name after ${keyword}`)
  const metric = raw.startsWith('"') ? raw.slice(1, -1) : raw
  const line = scanner.take(META_TEXT)
  if (line === undefined) throw new ExpositionError(`expected text in ${keyword}`)
  const text = line.slice(1, -1)
  if (keyword === 'TYPE') {
    if (!TYPES.has(text)) throw new ExpositionError(`invalid metric type ${JSON.stringify(text)}`)
    sink.type(metric, text)
  } else if (keyword === 'UNIT') {
    if (text !== '' && !metric.endsWith(`_${text}`)) {
      throw new ExpositionError(`unit ${JSON.stringify(text)} not a suffix of metric ${JSON.stringify(metric)}`)
    }
    sink.unit(metric, text)
  } else {
    if (scanner.isInvalid(text))
      throw new ExpositionError(`help text ${JSON.stringify(text)} is not a valid utf8 string`)
    sink.help(
      metric,
      text.replace(/\\(["\\n])/g, (_, char: string) => (char === 'n' ? '\n' : char))
    )
  }
}

function readSample(scanner: Scanner, known: SeriesMemory, sink: Sink): void {
  const start = scanner.position
  const plain = scanner.take(NAME)
  let name = plain
  let pairs: [string, string][] = []
  if (scanner.take(OPEN) !== undefined) {
    const set = scanLabels(scanner, PATTERNS, plain === undefined)
    pairs = set.pairs
    name ??= set.quotedName
  } else if (plain === undefined) {
    throw new ExpositionError(`expected a valid start token, got ${JSON.stringify(scanner.here)}`)
  }
  if (name === undefined) throw new ExpositionError('metric name not set')
  const series = scanner.text.slice(start, scanner.position)
  const value = readFloat(scanner, 'metric')
  const timestampMs = readTimestamp(scanner, 'timestamp')
  if (scanner.take(EXEMPLAR) !== undefined) readExemplar(scanner)
  if (scanner.take(NEWLINE) === undefined) {
    if (scanner.atEnd) throw new ExpositionError('data does not end with # EOF')
    throw new ExpositionError(`expected next entry, got ${JSON.stringify(scanner.here)}`)
  }
  const labels = known.labelsOf(series) ?? checkedLabels(name, pairs)
  known.note(series, labels)
  sink.sample(series, labels, value, timestampMs)
}

function readFloat(scanner: Scanner, after: string): number {
  const text = scanner.take(VALUE)
  if (text === undefined)
    throw new ExpositionError(`expected value after ${after}, got ${JSON.stringify(scanner.here)}`)
  return parseFloatText(text.slice(1))
}

function readTimestamp(scanner: Scanner, what: string): number | undefined {
  if (scanner.text.startsWith(' # {', scanner.position)) return undefined
  const text = scanner.take(VALUE)
  if (text === undefined) return undefined
  const seconds = parseFloatText(text.slice(1))
  if (!Number.isFinite(seconds)) throw new ExpositionError(`invalid ${what} ${text.slice(1)}`)
  return Math.trunc(seconds * 1000)
}

/** Exemplars are checked and then left out: nothing here stores them. */
function readExemplar(scanner: Scanner): void {
  scanLabels(scanner, PATTERNS, false)
  readFloat(scanner, 'exemplar labels')
  readTimestamp(scanner, 'exemplar timestamp')
}
