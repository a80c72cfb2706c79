import { Labels, METRIC_NAME } from '../tsdb/index.ts'
import { ExpositionError, type Scanner } from './scanner.ts'

const METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/

/** Token patterns of a label set in one of the formats. */
export interface LabelSetPatterns {
  readonly blank: RegExp
  readonly value: RegExp
  /** Text format: blanks between tokens and missing commas pass. */
  readonly lenient: boolean
}

const NAME = /[a-zA-Z_][a-zA-Z0-9_]*/y
const QUOTED = /"(?:\\.|[^\\"])*"/sy
const EQUAL = /=/y
const COMMA = /,/y
const CLOSE = /\}/y

/** What stands between braces. */
export interface LabelSetText {
  readonly pairs: [string, string][]
  /** A metric name written as a quoted text among the labels. */
  readonly quotedName: string | undefined
}

/**
 * Reads a label set after its opening brace.
 * @throws ExpositionError
 * @see prometheus model/textparse parseLVals, v2.55.1
 */
export function scanLabels(scanner: Scanner, patterns: LabelSetPatterns, nameAllowed: boolean): LabelSetText {
  const pairs: [string, string][] = []
  let quotedName: string | undefined
  const skip = (): void => {
    scanner.take(patterns.blank)
  }
  for (;;) {
    skip()
    if (scanner.take(CLOSE) !== undefined) return { pairs, quotedName }
    const plain = scanner.take(NAME)
    const quoted = plain === undefined ? scanner.take(QUOTED) : undefined
    const name = plain ?? quoted?.slice(1, -1)
    if (name === undefined) throw new ExpositionError(`expected label name, got ${JSON.stringify(scanner.here)}`)
    skip()
    if (scanner.take(EQUAL) === undefined) {
      const last = scanner.here
      if (quoted === undefined && last !== ',' && last !== '}') throw new ExpositionError('expected equal')
      if (!nameAllowed || quotedName !== undefined || quoted === undefined) {
        throw new ExpositionError('metric name already set')
      }
      quotedName = unescape(name)
    } else {
      skip()
      pairs.push([unescape(name), scanValue(scanner, patterns)])
      skip()
    }
    if (scanner.take(COMMA) === undefined && !patterns.lenient && scanner.here !== '}') {
      throw new ExpositionError('expected comma or brace close')
    }
  }
}

function scanValue(scanner: Scanner, patterns: LabelSetPatterns): string {
  const raw = scanner.take(patterns.value)
  if (raw === undefined) throw new ExpositionError(`expected label value, got ${JSON.stringify(scanner.here)}`)
  if (scanner.isInvalid(raw)) throw new ExpositionError(`invalid UTF-8 label value: ${JSON.stringify(raw)}`)
  return unescape(raw.slice(1, -1))
}

/** Unknown escapes stay as written. */
function unescape(text: string): string {
  if (!text.includes('\\')) return text
  return text.replace(/\\(["\\n])/g, (_, char: string) => (char === 'n' ? '\n' : char))
}

/**
 * A series' label set, checked as Prometheus checks it before it stores a sample.
 * @throws ExpositionError for a label given twice or a name outside the legacy character set
 */
export function checkedLabels(name: string, pairs: readonly (readonly [string, string])[]): Labels {
  if (pairs.length === 0 && METRIC.test(name)) return Labels.fromSorted([METRIC_NAME], [name])
  const seen = new Set([METRIC_NAME])
  for (const [label] of pairs) {
    if (seen.has(label)) throw new ExpositionError(`duplicate ${label}`)
    seen.add(label)
  }
  if (!METRIC.test(name) || pairs.some(([label]) => !LABEL.test(label))) {
    throw new ExpositionError('invalid metric name or label names')
  }
  return Labels.fromPairs([[METRIC_NAME, name], ...pairs])
}
