import { copyOf, deferredNote, isEmptyMap, isJsonMap } from '../../lib/apimachinery/index.ts'
import { Assembly } from './decoding-assembly.ts'
import { enter, finding, goTypeName, mismatch, TypeMismatch, type Duplicates, type Walk } from './decoding-walk.ts'
import { anyValue, decodeScalar, isPlain, zeroOf } from './plain-decoding.ts'
import type { FieldNode, TypeNode } from './type-tree.ts'

/** An object as Go would hold it: unknown fields and zero values gone. */
export interface DecodeResult {
  readonly value: unknown
  /** Strict errors in document order: `unknown field "spec.x"`, `duplicate field "spec.y"`. */
  readonly strict: readonly string[]
  /** A value of the wrong type; decoding stops there. */
  readonly failure?: string
  /** The same in the words of a strategic patch. */
  readonly converterFailure?: string
}

/** What a decoder knows of the value besides its type. */
export interface DecodingHints {
  /** Repeated names of the parsed text. */
  readonly duplicates?: Duplicates | undefined
  /** The frozen object that the value replaces: what equals it becomes the same parts. */
  readonly stored?: Readonly<Record<string, unknown>> | undefined
  /** The value is its sender's, who may go on changing it: all but its frozen parts is copied. */
  readonly isBorrowed?: boolean
}

type JsonMap = Record<string, unknown>
type StructNode = TypeNode & { type: 'struct' }

/**
 * Decodes an object into a type as the API server's JSON decoder (sigs.k8s.io/json) does.
 * @param value - parsed JSON; a borrowed one is not changed, the parts of any other may be frozen
 * @param node - type of the object
 * @param hints - see {@link DecodingHints}
 * @returns an object with frozen parts
 */
export function decodeTyped(value: unknown, node: TypeNode, hints: DecodingHints = {}): DecodeResult {
  const { duplicates, stored, isBorrowed = false } = hints
  const walk: Walk = {
    strict: [],
    duplicates,
    isBorrowed,
    steps: STEPS,
    depth: 0,
    struct: '',
    place: undefined,
    isTrusted: false
  }
  try {
    return { value: decodeNode(value, node, walk, stored), strict: walk.strict }
  } catch (error) {
    if (!(error instanceof TypeMismatch)) throw error
    return { value, strict: walk.strict, failure: error.message, converterFailure: error.converterText }
  }
}

/** Where every walk writes its steps: none begins within another. */
const STEPS: Walk['steps'] = []

/** @param stored - what is stored at this place */
function decodeNode(value: unknown, node: TypeNode, walk: Walk, stored: unknown): unknown {
  switch (node.type) {
    case 'struct':
      return decodeStruct(value, node, walk, stored)
    case 'map':
      return decodeMap(value, node, walk, stored)
    case 'list':
      return decodeList(value, node, walk, stored)
    case 'any':
      return anyValue(value)
    default:
      return decodeScalar(value, node, walk)
  }
}

function decodeStruct(value: unknown, node: StructNode, walk: Walk, stored: unknown): unknown {
  if (!isJsonMap(value)) return mismatch(value, walk, goTypeName(node))
  const known = node.decoded?.get(value)
  if (known !== undefined) return known
  const { struct, place } = walk
  const findings = walk.strict.length
  walk.struct = node.name
  walk.place = isJsonMap(stored) ? stored : undefined
  const isRoot = walk.depth === 0
  const decoded = withStructs(decodeFields(value, node, walk, isRoot), value, node)
  walk.struct = struct
  walk.place = place
  if (isRoot) return decoded
  if (node.decoded !== undefined && findings === walk.strict.length && Object.isFrozen(value))
    node.decoded.set(value, decoded)
  return Object.freeze(decoded)
}

/** The fields as Go would hold them. */
function decodeFields(value: JsonMap, node: StructNode, walk: Walk, isRoot: boolean): JsonMap {
  const stored = walk.place
  const result = new Assembly(value, isRoot ? undefined : stored)
  const repeated = walk.duplicates?.get(value)
  let index = 0
  for (const key in value) {
    if (isRoot) walk.isTrusted = key !== 'status'
    if (repeated?.includes(key) === true) walk.strict.push(finding('duplicate', key, walk))
    const before = value[key]
    const old = stored?.[key]
    if (before === old && isStoredPart(before, walk)) result.keep()
    else {
      const after = decodeMember(before, key, node.fieldAt(index, key), walk)
      result.add(key, before, after, old)
    }
    index += 1
  }
  return result.finish(walk.isBorrowed)
}

function decodeMember(value: unknown, key: string, field: FieldNode | undefined, walk: Walk): unknown {
  if (field === undefined && value !== undefined) walk.strict.push(finding('unknown', key, walk))
  if (field === undefined || value === undefined || value === null) return undefined
  if (isPlain(value, field.node)) return isOmittedPlain(value, field.omits) ? undefined : value
  if (key === 'managedFields') return decodeManagedFields(value, field, walk)
  enter(walk, key)
  const decoded = decodeNode(value, field.node, walk, walk.place?.[key])
  walk.depth -= 1
  return isOmitted(decoded, field) ? undefined : decoded
}

/**
 * What comes back untouched has been decoded before. The server itself writes nulls and zeros into a status that no client
 * could.
 * @param value - what is stored in its place, too
 */
function isStoredPart(value: unknown, walk: Walk): boolean {
  if (typeof value !== 'object') return Boolean(value)
  if (value === null) return false
  return walk.isTrusted || (walk.depth > 0 && hasNoNull(value))
}

/** Whether no null is in a value, at any depth. */
function hasNoNull(value: object): boolean {
  for (const key in value) {
    const member: unknown = (value as JsonMap)[key]
    if (member === null || (typeof member === 'object' && !hasNoNull(member))) return false
  }
  return true
}

/** Managed fields that nobody has looked at are the server's own. */
function decodeManagedFields(value: unknown, field: FieldNode, walk: Walk): unknown {
  if (deferredNote(value) !== undefined) return value
  enter(walk, 'managedFields')
  const decoded = decodeNode(value, field.node, walk, undefined)
  walk.depth -= 1
  return isOmitted(decoded, field) ? undefined : decoded
}

/** Structs that are no pointers are written even where nothing is in them. */
function withStructs(decoded: JsonMap, value: JsonMap, node: StructNode): JsonMap {
  const { written } = node
  if (written.length === 0) return decoded
  let result = decoded
  for (const [name, empty] of written) {
    if (result[name] !== undefined) continue
    if (result === value || Object.isFrozen(result)) result = copyOf(result)
    result[name] = empty
  }
  return result
}

function isOmittedPlain(value: unknown, omits: FieldNode['omits']): boolean {
  if (value === '') return omits.text
  return (value === 0 || value === false) && omits.plain
}

function isOmitted(value: unknown, { node, omits }: FieldNode): boolean {
  if (typeof value !== 'object') return isOmittedPlain(value, omits)
  if (!omits.empty) return false
  if (node.type === 'list') return Array.isArray(value) && value.length === 0
  return node.type === 'map' && isJsonMap(value) && isEmptyMap(value)
}

function decodeMap(value: unknown, node: TypeNode & { type: 'map' }, walk: Walk, stored: unknown): unknown {
  if (!isJsonMap(value)) return mismatch(value, walk, goTypeName(node))
  const known = isJsonMap(stored) ? stored : undefined
  const result = new Assembly(value, known)
  const repeated = walk.duplicates?.get(value)
  for (const key in value) {
    if (repeated?.includes(key) === true) walk.strict.push(finding('duplicate', key, walk))
    const before = value[key]
    result.add(key, before, decodeEntry(before, key, node.values, walk), known?.[key])
  }
  return Object.freeze(result.finish(walk.isBorrowed))
}

function decodeEntry(value: unknown, key: string, node: TypeNode, walk: Walk): unknown {
  if (value === undefined || isPlain(value, node)) return value
  if (value === null) return zeroOf(node)
  enter(walk, { key })
  const decoded = decodeNode(value, node, walk, undefined)
  walk.depth -= 1
  return decoded
}

function decodeList(value: unknown, node: TypeNode & { type: 'list' }, walk: Walk, stored: unknown): unknown {
  if (!Array.isArray(value)) return mismatch(value, walk, goTypeName(node))
  const items: readonly unknown[] = value
  const known: readonly unknown[] | undefined = Array.isArray(stored) ? stored : undefined
  let changed: unknown[] | undefined
  let isSame = known?.length === items.length
  for (let index = 0; index < items.length; index++) {
    const before = items[index]
    const after = decodeItem(before, index, node.items, { walk, stored: known?.[index] })
    if (isSame && after === known?.[index]) continue
    if (isSame && index > 0) changed = [...(known ?? []).slice(0, index), ...items.slice(index)]
    isSame = false
    if (after !== before) (changed ??= [...items])[index] = after
  }
  if (isSame) return known
  return Object.freeze(changed ?? (walk.isBorrowed && !Object.isFrozen(items) ? [...items] : items))
}

function decodeItem(
  value: unknown,
  index: number,
  node: TypeNode,
  place: { readonly walk: Walk; readonly stored: unknown }
): unknown {
  const { walk, stored } = place
  if (isPlain(value, node) || (value === stored && isStoredPart(value, walk))) return value
  if (value === null) return zeroOf(node)
  enter(walk, index)
  const decoded = decodeNode(value, node, walk, stored)
  walk.depth -= 1
  return decoded
}
