import { KubectlError } from './client.ts'

/** Most steps one template may take. */
const STEPS_MAX = 100_000

/** A piece of a template: literal text, an expression, or a range over one. */
type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'range'; readonly path: string; readonly body: readonly Piece[] }

/**
 * Evaluates a kubectl JSONPath template: text, `{.a.b[0]}`, `[*]`, `['key']`, `[?(@.type=="Ready")]`, `{range …}{end}`,
 * `{"\n"}`. Recursive descent (`..`), unions and slices are not understood.
 * @throws KubectlError when the template is none
 */
export function renderJsonPath(template: string, root: unknown): string {
  const { pieces } = parsePieces(template, 0, false)
  let steps = 0
  const render = (list: readonly Piece[], current: unknown): string => {
    let text = ''
    for (const piece of list) {
      if (++steps > STEPS_MAX) throw new KubectlError('error: the jsonpath template does too much')
      if (piece.kind === 'text') text += piece.text
      else if (piece.kind === 'path') text += selectPath(piece.path, current, root).map(printValue).join(' ')
      else for (const item of selectPath(piece.path, current, root)) text += render(piece.body, item)
    }
    return text
  }
  return render(pieces, root)
}

function parsePieces(
  template: string,
  start: number,
  inRange: boolean
): { readonly pieces: readonly Piece[]; readonly end: number } {
  const pieces: Piece[] = []
  let index = start
  while (index < template.length) {
    const open = template.indexOf('{', index)
    if (open < 0) {
      pieces.push({ kind: 'text', text: template.slice(index) })
      return { pieces, end: template.length }
    }
    if (open > index) pieces.push({ kind: 'text', text: template.slice(index, open) })
    const close = closingBrace(template, open)
    const inner = template.slice(open + 1, close).trim()
    index = close + 1
    if (inner === 'end') {
      if (!inRange) throw new KubectlError('error: error parsing jsonpath: not in range, nothing to end')
      return { pieces, end: index }
    }
    if (inner.startsWith('range ')) {
      const body = parsePieces(template, index, true)
      pieces.push({ kind: 'range', path: inner.slice(6).trim(), body: body.pieces })
      index = body.end
    } else if (/^["']/.test(inner)) pieces.push({ kind: 'text', text: unquote(inner) })
    else pieces.push({ kind: 'path', path: inner })
  }
  return { pieces, end: index }
}

function closingBrace(template: string, open: number): number {
  let quote = ''
  for (let index = open + 1; index < template.length; index++) {
    const character = template[index] ?? ''
    if (quote !== '') {
      if (character === '\\') index++
      else if (character === quote) quote = ''
    } else if (character === '"' || character === "'") quote = character
    else if (character === '}') return index
  }
  throw new KubectlError(`error: error parsing jsonpath ${template}, unclosed action`)
}

function unquote(text: string): string {
  return text.slice(1, -1).replaceAll('\\n', '\n').replaceAll('\\t', '\t').replaceAll('\\"', '"')
}

function selectPath(path: string, current: unknown, root: unknown): readonly unknown[] {
  let rest = path
  let values: readonly unknown[] = [current]
  if (rest.startsWith('$')) {
    rest = rest.slice(1)
    values = [root]
  } else if (rest.startsWith('@')) rest = rest.slice(1)
  while (rest !== '') {
    const step = /^(?:\.([\w-]+(?:\\\.[\w/-]+)*)|\.\*|\[(\*|-?\d+|'[^']*'|"[^"]*")\]|\[\?\((.*?)\)\])/.exec(rest)
    if (step === null) {
      if (rest === '.') return values
      throw new KubectlError(`error: error parsing jsonpath {${path}}, unexpected "${rest}"`)
    }
    rest = rest.slice(step[0].length)
    values = values.flatMap((value) => takeStep(value, step))
  }
  return values.filter((value) => value !== undefined)
}

function takeStep(value: unknown, step: RegExpExecArray): readonly unknown[] {
  const field = step[1]
  const index = step[2]
  const filter = step[3]
  if (filter !== undefined) return Array.isArray(value) ? value.filter((item) => matches(item, filter)) : []
  if (field !== undefined) return [fieldOf(value, field.replaceAll('\\.', '.'))]
  if (index === undefined || index === '*') {
    if (Array.isArray(value)) return value
    return typeof value === 'object' && value !== null ? Object.values(value) : []
  }
  if (/^['"]/.test(index)) return [fieldOf(value, index.slice(1, -1))]
  return Array.isArray(value) ? [value.at(Number(index))] : []
}

function fieldOf(value: unknown, field: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, field)) return undefined
  return (value as Readonly<Record<string, unknown>>)[field]
}

function matches(item: unknown, filter: string): boolean {
  const parts = /^(@[^=!<>]*?)\s*(?:(==|!=|<=|>=|<|>)\s*(.+))?$/.exec(filter.trim())
  if (parts === null) throw new KubectlError(`error: unrecognized filter ${filter}`)
  const left = selectPath((parts[1] ?? '@').trim(), item, item)[0]
  const operator = parts[2]
  if (operator === undefined) return left !== undefined
  const text = (parts[3] ?? '').trim()
  const right = /^["']/.test(text) ? unquote(text) : text
  if (operator === '==') return String(left) === right
  if (operator === '!=') return String(left) !== right
  const difference = Number(left) - Number(right)
  if (operator === '<') return difference < 0
  if (operator === '>') return difference > 0
  return operator === '<=' ? difference <= 0 : difference >= 0
}

function printValue(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}
