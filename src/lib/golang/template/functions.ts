import { queryEscape } from '../url-escape.ts'
import { printed, sprint, sprintf, sprintln } from './format.ts'
import { isTrue, NIL, textValue, type GoValue } from './value.ts'

/** A function failed: Go's text after `error calling <name>: `. */
export class CallProblem extends Error {}

/** A predefined function: how many arguments it takes, what the first must be, and what it does. */
export interface Builtin {
  readonly min: number
  /** Undefined: as many as are given. */
  readonly max: number | undefined
  /** Types of the parameters: `value` any with nil as nil, `any` any, `string` only texts; the last is for all further. */
  readonly parameters: readonly ('value' | 'any' | 'string')[]
  readonly call: (values: readonly GoValue[]) => GoValue
}

const bool = (value: boolean): GoValue => ({ type: 'bool', value })

function valueFunction(min: number, max: number | undefined, call: Builtin['call']): Builtin {
  return { min, max, parameters: ['value'], call }
}

function textFunction(call: (values: readonly GoValue[]) => string): Builtin {
  return { min: 0, max: undefined, parameters: ['any'], call: (values) => textValue(call(values)) }
}

/**
 * The predefined functions; `and` and `or` are evaluated by who calls them.
 * @see Go text/template/funcs.go 1.26
 */
export const BUILTINS: ReadonlyMap<string, Builtin> = new Map([
  ['and', valueFunction(1, undefined, ([value = NIL]) => value)],
  ['or', valueFunction(1, undefined, ([value = NIL]) => value)],
  ['not', valueFunction(1, 1, ([value = NIL]) => bool(!isTrue(value)))],
  ['call', valueFunction(1, undefined, ([callee = NIL]) => called(callee))],
  ['index', valueFunction(1, undefined, ([item = NIL, ...indexes]) => indexed(item, indexes))],
  ['slice', valueFunction(1, undefined, ([item = NIL, ...indexes]) => sliced(item, indexes))],
  ['len', valueFunction(1, 1, ([item = NIL]) => length(item))],
  ['eq', valueFunction(1, undefined, ([first = NIL, ...others]) => bool(equal(first, others)))],
  ['ne', valueFunction(2, 2, ([left = NIL, right = NIL]) => bool(!equal(left, [right])))],
  ['lt', valueFunction(2, 2, ([left = NIL, right = NIL]) => bool(less(left, right)))],
  ['le', valueFunction(2, 2, ([left = NIL, right = NIL]) => bool(lessOrEqual(left, right)))],
  ['gt', valueFunction(2, 2, ([left = NIL, right = NIL]) => bool(!lessOrEqual(left, right)))],
  ['ge', valueFunction(2, 2, ([left = NIL, right = NIL]) => bool(!less(left, right)))],
  ['print', textFunction(sprint)],
  ['println', textFunction(sprintln)],
  [
    'printf',
    {
      min: 1,
      max: undefined,
      parameters: ['string', 'any'],
      call: ([format, ...values]) => textValue(sprintf(format?.type === 'string' ? format.value : '', values))
    }
  ],
  ['html', textFunction((values) => escapedHtml(joined(values)))],
  ['js', textFunction((values) => escapedScript(joined(values)))],
  ['urlquery', textFunction((values) => queryEscape(joined(values)))]
])

function called(callee: GoValue): never {
  throw new CallProblem(callee.type === 'nil' ? 'call of nil' : `non-function ${CALLEE} of type ${callee.type}`)
}

/** Stands for the callee's text in the template, which only the caller knows. */
export const CALLEE = '\u0000callee'

function joined(values: readonly GoValue[]): string {
  const [only] = values
  if (values.length === 1 && only?.type === 'string') return only.value
  return sprint(values.map((value) => (value.type === 'nil' ? textValue('<no value>') : value)))
}

function indexed(item: GoValue, indexes: readonly GoValue[]): GoValue {
  if (item.type === 'nil') throw new CallProblem('index of untyped nil')
  let value: GoValue = item
  for (const index of indexes) {
    if (value.type === 'string') value = byteAt(value.value, index)
    else if (value.type === 'map[string]string') value = textValue(value.value.get(keyOf(index)) ?? '')
    else throw new CallProblem(`can't index item of type ${value.type}`)
  }
  return value
}

function keyOf(index: GoValue): string {
  if (index.type === 'string') return index.value
  throw new CallProblem(
    index.type === 'nil' ? 'value is nil; should be of type string' : `value has type ${index.type}; should be string`
  )
}

function byteAt(text: string, index: GoValue): GoValue {
  const bytes = Buffer.from(text, 'utf8')
  const at = indexOf(index, bytes.length)
  const byte = bytes[at]
  if (byte === undefined) throw new CallProblem(`reflect: string index out of range`)
  return { type: 'uint8', value: BigInt(byte) }
}

function indexOf(index: GoValue, capacity: number): number {
  if (index.type === 'nil') throw new CallProblem('cannot index slice/array with nil')
  if (index.type !== 'int' && index.type !== 'uint8')
    throw new CallProblem(`cannot index slice/array with type ${index.type}`)
  if (index.value < 0n || index.value > BigInt(capacity)) throw new CallProblem(`index out of range: ${index.value}`)
  return Number(index.value)
}

function sliced(item: GoValue, indexes: readonly GoValue[]): GoValue {
  if (item.type === 'nil') throw new CallProblem('slice of untyped nil')
  if (indexes.length > 3) throw new CallProblem(`too many slice indexes: ${indexes.length}`)
  if (item.type !== 'string') throw new CallProblem(`can't slice item of type ${item.type}`)
  if (indexes.length === 3) throw new CallProblem('cannot 3-index slice a string')
  const bytes = Buffer.from(item.value, 'utf8')
  const [from = 0, to = bytes.length] = indexes.map((index) => indexOf(index, bytes.length))
  if (from > to) throw new CallProblem(`invalid slice index: ${from} > ${to}`)
  return textValue(bytes.subarray(from, to).toString('utf8'))
}

function length(item: GoValue): GoValue {
  if (item.type === 'string') return { type: 'int', value: BigInt(Buffer.byteLength(item.value)) }
  if (item.type === 'map[string]string') return { type: 'int', value: BigInt(item.value.size) }
  throw new CallProblem(
    item.type === 'nil' ? 'reflect: call of reflect.Value.Type on zero Value' : `len of type ${item.type}`
  )
}

/** Types that are compared with each other: whole numbers with or without sign are. */
function family(value: GoValue): string {
  return value.type === 'uint8' ? 'int' : value.type
}

function equal(first: GoValue, others: readonly GoValue[]): boolean {
  if (others.length === 0) throw new CallProblem('missing argument for comparison')
  return others.some((other) => equals(first, other))
}

function equals(left: GoValue, right: GoValue): boolean {
  if (left.type === 'nil' || right.type === 'nil') return nilEquals(left, right)
  if (family(left) !== family(right))
    throw new CallProblem(`incompatible types for comparison: ${left.type} and ${right.type}`)
  if (left.type === 'map[string]string') throw new CallProblem(`non-comparable type ${printed(right)}: ${right.type}`)
  if (left.type === 'complex128' && right.type === 'complex128')
    return left.value[0] === right.value[0] && left.value[1] === right.value[1]
  return left.value === right.value
}

/** Maps may be nil, other values are not; basic values cannot be compared with nothing. */
function nilEquals(left: GoValue, right: GoValue): boolean {
  return left.type === 'nil' && right.type === 'nil'
}

function less(left: GoValue, right: GoValue): boolean {
  for (const { type } of [left, right])
    if (type === 'nil' || type === 'map[string]string') throw new CallProblem('invalid type for comparison')
  if (family(left) !== family(right))
    throw new CallProblem(`incompatible types for comparison: ${left.type} and ${right.type}`)
  if (left.type === 'bool' || left.type === 'complex128') throw new CallProblem('invalid type for comparison')
  if (left.type === 'string' && right.type === 'string')
    return Buffer.compare(Buffer.from(left.value), Buffer.from(right.value)) < 0
  return (left as { value: bigint | number }).value < (right as { value: bigint | number }).value
}

function lessOrEqual(left: GoValue, right: GoValue): boolean {
  return less(left, right) || equals(left, right)
}

const HTML: Readonly<Record<string, string>> = {
  '\u0000': '\ufffd',
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;'
}

function escapedHtml(text: string): string {
  return [...text].map((character) => HTML[character] ?? character).join('')
}

const SCRIPT: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D'
}

function escapedScript(text: string): string {
  return [...text].map((character) => SCRIPT[character] ?? scriptCharacter(character)).join('')
}

function scriptCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code >= 0x20 && code < 0x7f) return character
  if (code >= 0x80 && /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(character)) return character
  return `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`
}
