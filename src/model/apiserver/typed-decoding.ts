import { copyOf, deferredNote, isEmptyMap, isJsonMap, setMember } from '../../lib/apimachinery/index.ts'
import { assembled, changeable, changeableList, hasNames } from './decoding-assembly.ts'
import { finding, goTypeName, mismatch, TypeMismatch, type Duplicates, type Walk } from './decoding-walk.ts'
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
  readonly isBorrowed?: boolean | undefined
  /** The value may be changed and frozen instead of copied; default: it is not changed, but its parts may be frozen. */
  readonly isGiven?: boolean | undefined
}

type JsonMap = Record<string, unknown>
type StructNode = TypeNode & { type: 'struct' }

/**
 * Decodes an object into a type as the API server's JSON decoder (sigs.k8s.io/json) does.
 * @param value - parsed JSON
 * @param node - type of the object
 * @param hints - see {@link DecodingHints}
 * @returns an object with frozen parts
 */
export function decodeTyped(value: unknown, node: TypeNode, hints: DecodingHints = {}): DecodeResult {
  const { duplicates, stored, isBorrowed = false, isGiven = false } = hints
  const walk: Walk = {
    strict: [],
    duplicates,
    isBorrowed,
    isGiven,
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
  const decoded = decodeFields(value, node, walk)
  walk.struct = struct
  walk.place = place
  if (walk.depth === 0 || decoded === stored) return decoded
  if (node.decoded !== undefined && findings === walk.strict.length && Object.isFrozen(value))
    node.decoded.set(value, decoded)
  return Object.freeze(decoded)
}

/** The fields as Go would hold them; what is stored itself where nothing differs from it, unless that is a whole object. */
function decodeFields(value: JsonMap, node: StructNode, walk: Walk): JsonMap {
  const stored = walk.place
  const isRoot = walk.depth === 0
  const repeated = walk.duplicates?.get(value)
  let isSame = stored !== undefined && !isRoot
  let missing = node.written.length
  let changed: JsonMap | undefined
  let dropped: string[] | undefined
  let index = 0
  for (const key in value) {
    const before = value[key]
    const field = node.fieldAt(index, key)
    index += 1
    if (repeated?.includes(key) === true) walk.strict.push(finding('duplicate', key, walk))
    if (field !== undefined && isPlain(before, field.node)) {
      if (isOmittedPlain(before, field.omits)) (dropped ??= []).push(key)
      // What is stored is looked up only where it matters: that costs more than all else.
      else if (isSame && stored?.[key] !== before) isSame = false
      continue
    }
    if (isRoot) walk.isTrusted = key !== 'status'
    walk.steps[walk.depth] = key
    const old = stored?.[key]
    const after = decodeMember(before, field, walk, old)
    if (after === undefined) (dropped ??= []).push(key)
    else {
      if (after !== old) isSame = false
      if (after !== before) setMember((changed ??= changeable(value, walk)), key, after)
      if (field?.isAlwaysWritten === true) missing -= 1
    }
  }
  const isStored = isSame && stored !== undefined && hasNames(stored, value, dropped)
  const whole = isStored ? stored : assembled({ value, changed, dropped }, walk)
  return missing === 0 ? whole : withStructs(whole, value, node)
}

/** @param stored - what is stored in its place */
function decodeMember(value: unknown, field: FieldNode | undefined, walk: Walk, stored: unknown): unknown {
  if (value === stored && isStoredPart(value, walk)) return value
  if (value === undefined) return undefined
  const key = walk.steps[walk.depth] as string
  if (field === undefined) {
    walk.strict.push(finding('unknown', key, walk))
    return undefined
  }
  if (value === null) return undefined
  const isManaged = key === 'managedFields'
  // Managed fields that nobody has looked at are the server's own.
  if (isManaged && deferredNote(value) !== undefined) return value
  walk.depth += 1
  const decoded = decodeNode(value, field.node, walk, isManaged ? undefined : stored)
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
function hasNoNull(value: unknown): boolean {
  if (typeof value !== 'object') return true
  if (value === null) return false
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) if (!hasNoNull(value[index])) return false
    return true
  }
  for (const key in value) if (!hasNoNull((value as JsonMap)[key])) return false
  return true
}

/** Structs that are no pointers are written even where nothing is in them. */
function withStructs(decoded: JsonMap, value: JsonMap, node: StructNode): JsonMap {
  let result = decoded
  for (const [name, empty] of node.written) {
    if (result[name] !== undefined) continue
    if (result === value || Object.isFrozen(result)) result = copyOf(result)
    result[name] = empty
  }
  return result
}

/** Compares by type: comparing what may be anything takes several times as long. */
function isOmittedPlain(value: unknown, omits: FieldNode['omits']): boolean {
  if (typeof value === 'string') return value === '' && omits.text
  if (typeof value === 'number') return value === 0 && omits.plain
  return value === false && omits.plain
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
  const repeated = walk.duplicates?.get(value)
  let isSame = known !== undefined
  let changed: JsonMap | undefined
  let dropped: string[] | undefined
  for (const key in value) {
    if (repeated?.includes(key) === true) walk.strict.push(finding('duplicate', key, walk))
    const before = value[key]
    const after = decodeEntry(before, key, node.values, walk)
    if (isSame && after !== undefined && known?.[key] !== after) isSame = false
    if (after === undefined) (dropped ??= []).push(key)
    else if (after !== before) setMember((changed ??= changeable(value, walk)), key, after)
  }
  if (isSame && known !== undefined && hasNames(known, value, dropped)) return known
  return Object.freeze(assembled({ value, changed, dropped }, walk))
}

function decodeEntry(value: unknown, key: string, node: TypeNode, walk: Walk): unknown {
  if (value === undefined || isPlain(value, node)) return value
  if (value === null) return zeroOf(node)
  walk.steps[walk.depth] = { key }
  walk.depth += 1
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
    const old = known?.[index]
    walk.steps[walk.depth] = index
    const after = decodeItem(before, node.items, walk, old)
    if (after !== old) isSame = false
    if (after !== before) (changed ??= changeableList(items, walk))[index] = after
  }
  if (isSame) return known
  return Object.freeze(changed ?? (walk.isBorrowed && !Object.isFrozen(items) ? [...items] : items))
}

function decodeItem(value: unknown, node: TypeNode, walk: Walk, stored: unknown): unknown {
  if (isPlain(value, node) || (value === stored && isStoredPart(value, walk))) return value
  if (value === null) return zeroOf(node)
  walk.depth += 1
  const decoded = decodeNode(value, node, walk, stored)
  walk.depth -= 1
  return decoded
}
