import {
  LineCounter,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  parseAllDocuments,
  visit,
  type Document
} from 'yaml'
import type { Place } from '../kinds/index.ts'
import { type Problem, PROBLEMS_MAX } from './problem.ts'

/** Largest file read, bytes: a scenario or manifest is written by hand. */
export const FILE_BYTES_MAX = 1_048_576
/** Most alias nodes a document may resolve to; beyond it the document is refused as a resource bomb. */
const ALIAS_COUNT_MAX = 100
/** Most documents of one file. */
const DOCUMENTS_MAX = 500
/** Deepest nesting of a document. */
const DEPTH_MAX = 60

/** A path into a document: keys and indices. */
export type NodePath = readonly (string | number)[]

/** One YAML document of a file, with the places of its parts. */
export interface SourceDocument {
  readonly file: string
  /** The whole text of the file, for excerpts. */
  readonly text: string
  readonly document: Document
  readonly lines: LineCounter
}

/** A file as documents, or what is wrong with it. */
export type SourceOutcome =
  | { readonly documents: readonly SourceDocument[]; readonly problems: readonly [] }
  | { readonly documents: readonly []; readonly problems: readonly Problem[] }

/**
 * Parses the documents of a YAML file.
 * @param file - name shown in messages
 * @param version - `1.2` for scenarios; `1.1` for manifests, whose `yes` and `on` are booleans as kubectl reads them
 */
export function parseSource(file: string, text: string, version: '1.1' | '1.2' = '1.2'): SourceOutcome {
  const lines = new LineCounter()
  const first: Place = { file, line: 1, column: 1 }
  if (Buffer.byteLength(text) > FILE_BYTES_MAX) {
    return failure({ place: first, message: `the file is larger than ${FILE_BYTES_MAX} bytes`, fix: 'split it' })
  }
  const nested = runawayNesting(text)
  if (nested !== undefined) {
    const place = { file, ...lineAndColumn(text, nested) }
    return failure({ place, message: `nesting deeper than ${DEPTH_MAX} levels`, fix: 'flatten it' })
  }
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    version,
    merge: true,
    customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || !ODD_TAGS.has(tag.tag))
  })
  const documents = 'empty' in parsed ? [] : parsed
  if (documents.length > DOCUMENTS_MAX) {
    return failure({ place: first, message: `more than ${DOCUMENTS_MAX} documents in one file`, fix: 'split it' })
  }
  const sources = documents.map((document) => ({ file, text, document, lines }))
  const problems = sources.flatMap(documentProblems).slice(0, PROBLEMS_MAX)
  return problems.length > 0 ? { documents: [], problems } : { documents: sources, problems: [] }
}

/** Open brackets, and dashes in a row, beyond which a text is refused before the parser nests as deep as it does. */
const RUNAWAY_DEPTH = 1000

/** Offset where brackets or dashes nest without end; brackets in quotes count too, which a thousand of them forgives. */
function runawayNesting(text: string): number | undefined {
  const dashes = /(?:[-?:] ){1000}/.exec(text)
  if (dashes !== null) return dashes.index
  let depth = 0
  for (let offset = 0; offset < text.length; offset++) {
    const code = text.charCodeAt(offset)
    if (code === 0x5b || code === 0x7b) depth++
    else if (code === 0x5d || code === 0x7d) depth = Math.max(0, depth - 1)
    if (depth > RUNAWAY_DEPTH) return offset
  }
  return undefined
}

function lineAndColumn(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset)
  const line = before.split('\n').length
  return { line, column: offset - before.lastIndexOf('\n') }
}

/** Types of YAML 1.1 that neither JSON nor kubectl's reader has. */
const ODD_TAGS: ReadonlySet<string> = new Set([
  'tag:yaml.org,2002:timestamp',
  'tag:yaml.org,2002:binary',
  'tag:yaml.org,2002:omap',
  'tag:yaml.org,2002:pairs',
  'tag:yaml.org,2002:set'
])

/** The document as plain data. @throws ReferenceError never: bombs were refused by {@link parseSource} */
export function sourceData(source: SourceDocument): unknown {
  return source.document.toJS({ maxAliasCount: ALIAS_COUNT_MAX }) as unknown
}

/** Place of the value at a path, or of the nearest parent that exists. */
export function locate(source: SourceDocument, path: NodePath): { readonly place: Place; readonly length: number } {
  let node: unknown = source.document.contents
  let found = node
  for (const key of path) {
    node = child(source, node, key)
    if (node === undefined) break
    found = node
  }
  return placeOf(source, found)
}

/** Place of a key of the map at a path. */
export function locateKey(
  source: SourceDocument,
  path: NodePath,
  key: string
): { readonly place: Place; readonly length: number } {
  let node: unknown = source.document.contents
  for (const step of path) node = child(source, node, step)
  const resolved = isAlias(node) ? node.resolve(source.document) : node
  const pair = isMap(resolved)
    ? resolved.items.find((item) => isScalar(item.key) && String(item.key.value) === key)
    : undefined
  return placeOf(source, pair?.key ?? resolved)
}

/** The text of the node at a path, on one line. */
export function sourceText(source: SourceDocument, path: NodePath): string {
  const node: unknown = source.document.getIn([...path], true)
  if (!isNode(node) || node.range === undefined || node.range === null) return ''
  return source.text
    .slice(node.range[0], node.range[1])
    .replace(/(^|\s)#.*$/gm, '')
    .replace(/\s+/g, ' ')
    .trim()
}

/** A problem at a path of a document, with the offending line. */
export function problemAt(
  source: SourceDocument,
  path: NodePath,
  problem: {
    readonly message: string
    readonly fix?: string | undefined
    readonly key?: string
    readonly code?: Problem['code']
  }
): Problem {
  const { place, length } = problem.key === undefined ? locate(source, path) : locateKey(source, path, problem.key)
  const sourceLine = source.text.split('\n')[place.line - 1]
  return {
    place,
    message: problem.message,
    length,
    ...(problem.fix === undefined ? {} : { fix: problem.fix }),
    ...(problem.code === undefined ? {} : { code: problem.code }),
    ...(sourceLine === undefined ? {} : { sourceLine: sourceLine.replace(/\r$/, '') })
  }
}

/**
 * A problem inside a text of the document, e.g. a query.
 * @param problem - `line` and `column` count within the text; they are found in the file when it stands there as it is
 */
export function problemInText(
  source: SourceDocument,
  path: NodePath,
  problem: { readonly message: string; readonly fix: string; readonly line: number; readonly column: number }
): Problem {
  const { message, fix, line, column } = problem
  const whole = problemAt(source, path, { message, fix })
  const node: unknown = source.document.getIn([...path], true)
  if (!isScalar(node)) return whole
  const lines = source.text.split('\n')
  const { place } = whole
  if (node.type === 'BLOCK_LITERAL') {
    const sourceLine = lines[place.line - 1 + line]
    const indent = /^ */.exec(lines[place.line] ?? '')?.[0].length ?? 0
    if (sourceLine === undefined) return whole
    return { ...whole, place: { ...place, line: place.line + line, column: indent + column }, sourceLine, length: 1 }
  }
  const quoted = node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE'
  if (line > 1 || (!quoted && node.type !== 'PLAIN')) return whole
  return { ...whole, place: { ...place, column: place.column + (quoted ? 1 : 0) + column - 1 }, length: 1 }
}

function failure(problem: Problem): SourceOutcome {
  return { documents: [], problems: [problem] }
}

function documentProblems(source: SourceDocument): Problem[] {
  const problems = source.document.errors.map((error) => atOffset(source, error.pos[0], error.message))
  if (problems.length > 0) return problems
  const tooDeep = deepNode(source)
  if (tooDeep !== undefined) return [atOffset(source, tooDeep, `nesting deeper than ${DEPTH_MAX} levels`)]
  try {
    sourceData(source)
    return []
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const offset = source.document.contents?.range?.[0] ?? 0
    return [
      atOffset(
        source,
        offset,
        /alias/i.test(message)
          ? `aliases multiply the document beyond ${ALIAS_COUNT_MAX} copies; write the values out`
          : message
      )
    ]
  }
}

function deepNode(source: SourceDocument): number | undefined {
  let offset: number | undefined
  visit(source.document, {
    Collection: (_key, node, ancestors) => {
      if (ancestors.length <= DEPTH_MAX * 2) return undefined
      offset = node.range?.[0] ?? 0
      return visit.BREAK
    }
  })
  return offset
}

function atOffset(source: SourceDocument, offset: number, message: string): Problem {
  const place = placeAt(source, offset)
  const sourceLine = source.text.split('\n')[place.line - 1]
  return { place, message: message.split('\n')[0] ?? message, ...(sourceLine === undefined ? {} : { sourceLine }) }
}

function child(source: SourceDocument, node: unknown, key: string | number): unknown {
  const resolved = isAlias(node) ? node.resolve(source.document) : node
  if (isMap(resolved)) return resolved.get(key, true) ?? resolved.get(String(key), true)
  if (isSeq(resolved)) return resolved.get(Number(key), true)
  return undefined
}

function placeOf(source: SourceDocument, node: unknown): { place: Place; length: number } {
  const target = isPair(node) ? node.key : node
  if (!isNode(target) || target.range === undefined || target.range === null) {
    return { place: { file: source.file, line: 1, column: 1 }, length: 1 }
  }
  const [start, end] = target.range
  const text = source.text.slice(start, end).split('\n')[0] ?? ''
  return { place: placeAt(source, start), length: Math.max(1, text.trimEnd().length) }
}

function placeAt(source: SourceDocument, offset: number): Place {
  const position = source.lines.linePos(offset)
  return { file: source.file, line: Math.max(1, position.line), column: Math.max(1, position.col) }
}
