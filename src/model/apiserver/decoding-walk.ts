import { goQuote, isJsonMap } from '../../lib/apimachinery/index.ts'
import type { TypeNode } from './type-tree.ts'

/** Names that appeared more than once in an object of the parsed text. */
export type Duplicates = ReadonlyMap<object, readonly string[]>

/** Stops decoding where a value is of the wrong type. */
export class TypeMismatch extends Error {
  /** The words of the converter that applies strategic patches. */
  readonly converterText: string
  constructor(message: string, converterText: string) {
    super(message)
    this.converterText = converterText
  }
}

/** A step of a path: a field, an index of a list, or a key of a map. */
type Step = string | number | { readonly key: string }

/** Where a decoder is, and what it has found. Paths are put together only where something is wrong. */
export interface Walk {
  readonly strict: string[]
  readonly duplicates: Duplicates | undefined
  /** The value is its sender's, who may go on changing it: all but its frozen parts is copied. */
  readonly isBorrowed: boolean
  /** The value may be changed and frozen. */
  readonly isGiven: boolean
  /**
   * The way to the list, map or struct that is decoded, as long as `depth` says; who decodes a part of it writes the next step
   * and then goes one deeper.
   */
  readonly steps: Step[]
  depth: number
  /** The struct whose field is decoded. */
  struct: string
  /** What is stored in its place. */
  place: Readonly<Record<string, unknown>> | undefined
  /** Parts that are the stored ones need no decoding: not so in a status, which may hold nulls that only the server writes. */
  isTrusted: boolean
}

function stepsOf({ steps, depth }: Walk): readonly Step[] {
  return steps.slice(0, depth)
}

/** The way to a value with indexes and keys, as people read it. */
function pathText(steps: readonly Step[]): string {
  let text = ''
  for (const step of steps) {
    const name = typeof step === 'object' ? step.key : step
    if (typeof name === 'number') text += `[${name}]`
    else text += text === '' ? name : `.${name}`
  }
  return text
}

/**
 * What a strict decoder says of a field.
 * @param what - what is wrong
 * @param key - name of the field
 * @param walk - at the object that has it
 */
export function finding(what: 'duplicate' | 'unknown', key: string, walk: Walk): string {
  return `${what} field ${goQuote(pathText([...stepsOf(walk), key]))}`
}

/**
 * Stops at a value of the wrong type.
 * @param value - the value
 * @param walk - at the value
 * @param goType - what is wanted
 * @param literal - how the value is written, where that is said
 * @throws TypeMismatch
 */
export function mismatch(value: unknown, walk: Walk, goType: string, literal = ''): never {
  const found = Array.isArray(value)
    ? 'array'
    : isJsonMap(value)
      ? 'object'
      : typeof value === 'boolean'
        ? 'bool'
        : typeof value
  const goPath = stepsOf(walk)
    .filter((step) => typeof step === 'string')
    .join('.')
  const where = goPath === '' ? 'Go value' : `Go struct field ${walk.struct}.${goPath}`
  throw new TypeMismatch(
    `json: cannot unmarshal ${found}${literal} into ${where} of type ${goType}`,
    converterText(value, goType)
  )
}

/** What apimachinery's unstructured converter says of a value that does not fit. */
function converterText(value: unknown, goType: string): string {
  const found = Array.isArray(value)
    ? 'slice'
    : isJsonMap(value)
      ? 'map'
      : typeof value === 'number'
        ? 'int64'
        : typeof value === 'boolean'
          ? 'bool'
          : 'string'
  if (goType.startsWith('map[')) return `cannot restore map from ${found}`
  if (goType.startsWith('[]')) return `cannot restore slice from ${found}`
  return goType.startsWith('v1.') ? `cannot restore struct from: ${found}` : `unrecognized type: ${goType}`
}

const GO_NAMES: Readonly<Record<string, string>> = {
  string: 'string',
  bytes: '[]uint8',
  bool: 'bool',
  int32: 'int32',
  int64: 'int64',
  double: 'float64',
  'int-or-string': 'intstr.IntOrString',
  quantity: 'resource.Quantity',
  time: 'v1.Time',
  microtime: 'v1.MicroTime',
  any: 'interface {}'
}

/** The name of a type in Go. */
export function goTypeName(node: TypeNode): string {
  if (node.type === 'struct') return `v1.${node.name}`
  if (node.type === 'map') return `map[string]${goTypeName(node.values)}`
  if (node.type === 'list') return `[]${goTypeName(node.items)}`
  return GO_NAMES[node.type] ?? node.type
}
