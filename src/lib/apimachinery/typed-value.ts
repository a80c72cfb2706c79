import { FieldSet, fieldStep, type PathStep } from './field-set.ts'
import { deepEqual, isJsonMap, ownMember, setMember, stableStringify, type JsonMap } from './json.ts'
import { DEDUCED, type ListType, type MapType, type MergeType } from './merge-type.ts'

/** Result of {@link compareTyped}. */
export interface Comparison {
  readonly added: FieldSet
  readonly modified: FieldSet
  readonly removed: FieldSet
}

/** A type that fits a value: deduced types become lists, maps or scalars. */
type Shape =
  | { readonly kind: 'leaf' }
  | { readonly kind: 'map'; readonly type: MapType }
  | { readonly kind: 'list'; readonly type: ListType }

const LEAF: Shape = { kind: 'leaf' }

const DEDUCED_MAP: MapType = { kind: 'map', atomic: false, field: () => undefined, element: () => DEDUCED }

function shapeOf(type: MergeType, value: unknown): Shape {
  if (type.kind === 'deduced') return isJsonMap(value) && !type.atomicMaps ? { kind: 'map', type: DEDUCED_MAP } : LEAF
  if (type.kind === 'map')
    return type.atomic || !(isJsonMap(value) || value === null || value === undefined) ? LEAF : { kind: 'map', type }
  if (type.kind !== 'list' || type.relationship === 'atomic') return LEAF
  return Array.isArray(value) || value === null || value === undefined ? { kind: 'list', type } : LEAF
}

/**
 * Type of a member of a map.
 * @param type - the map
 * @param name - of the member
 */
function memberType(type: MapType, name: string): MergeType {
  return type.field(name) ?? type.element() ?? DEDUCED
}

/**
 * The step that identifies an element of a list.
 * @param type - the list
 * @param item - the element
 * @param index - its position
 */
export function elementStep(type: ListType, item: unknown, index: number): PathStep {
  if (type.relationship === 'set') return `v:${stableStringify(item)}`
  if (type.relationship === 'map' && isJsonMap(item)) {
    const keys: JsonMap = {}
    for (const key of type.keys) {
      const value = ownMember(item, key) ?? type.keyDefault(key)
      if (value !== undefined) keys[key] = value
    }
    return `k:${stableStringify(keys)}`
  }
  return `i:${index}`
}

function isEmptyMap(value: unknown): boolean {
  return isJsonMap(value) && Object.keys(value).length === 0
}

/**
 * The fields an object states.
 * @param value - the object
 * @param type - its type
 */
export function typedFieldSet(value: unknown, type: MergeType): FieldSet {
  const set = new FieldSet()
  collect(value, type, [], set)
  return set
}

function collect(value: unknown, type: MergeType, path: readonly PathStep[], set: FieldSet): void {
  const shape = shapeOf(type, value)
  if (shape.kind === 'leaf') set.insert(path)
  else if (shape.kind === 'list') collectList(value, shape.type, path, set)
  else if (isJsonMap(value)) collectMap(value, shape.type, path, set)
}

function collectMap(value: JsonMap, type: MapType, path: readonly PathStep[], set: FieldSet): void {
  for (const [name, member] of Object.entries(value)) {
    const below = [...path, fieldStep(name)]
    collect(member, memberType(type, name), below, set)
    if (member === null || isEmptyMap(member) || type.field(name) === undefined) set.insert(below)
  }
}

function collectList(value: unknown, type: ListType, path: readonly PathStep[], set: FieldSet): void {
  if (!Array.isArray(value)) return
  for (const [index, item] of value.entries()) {
    const below = [...path, elementStep(type, item, index)]
    collect(item, type.element(), below, set)
    set.insert(below)
  }
}

/**
 * What changed between two objects, by field.
 * @param before - old object
 * @param after - new object
 * @param type - their type
 */
export function compareTyped(before: unknown, after: unknown, type: MergeType): Comparison {
  const comparison = { added: new FieldSet(), modified: new FieldSet(), removed: new FieldSet() }
  compare({ before, after }, type, [], comparison)
  return comparison
}

interface Pair {
  readonly before: unknown
  readonly after: unknown
}

function compare(pair: Pair, type: MergeType, path: readonly PathStep[], result: Comparison): void {
  const { before, after } = pair
  // Stored objects share what did not change, so identity spares most of the walk.
  if (before === after) return
  const shape = shapeOf(type, after ?? before)
  const other = shapeOf(type, before ?? after)
  if (shape.kind === 'leaf' || other.kind !== shape.kind || (isBlank(before) && isBlank(after))) {
    compareLeaf(pair, path, result)
    return
  }
  if (shape.kind === 'map') compareMaps(pair, shape.type, path, result)
  else compareLists(pair, shape.type, path, result)
  if (before === undefined) result.added.insert(path)
  else if (after === undefined) result.removed.insert(path)
}

/** Absent, null or without content: such values are compared as a whole. */
function isBlank(value: unknown): boolean {
  return value === undefined || value === null || isEmptyMap(value) || (Array.isArray(value) && value.length === 0)
}

function compareLeaf({ before, after }: Pair, path: readonly PathStep[], result: Comparison): void {
  if (before === undefined) result.added.insert(path)
  else if (after === undefined) result.removed.insert(path)
  else if (!deepEqual(before, after)) result.modified.insert(path)
}

function compareMaps({ before, after }: Pair, type: MapType, path: readonly PathStep[], result: Comparison): void {
  const left = isJsonMap(before) ? before : {}
  const right = isJsonMap(after) ? after : {}
  for (const name of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const pair = { before: ownMember(left, name), after: ownMember(right, name) }
    compare(pair, memberType(type, name), [...path, fieldStep(name)], result)
  }
}

function compareLists({ before, after }: Pair, type: ListType, path: readonly PathStep[], result: Comparison): void {
  const left = indexList(before, type)
  const right = indexList(after, type)
  for (const step of new Set([...left.keys(), ...right.keys()])) {
    compare({ before: left.get(step), after: right.get(step) }, type.element(), [...path, step], result)
  }
}

function indexList(value: unknown, type: ListType): Map<PathStep, unknown> {
  const index = new Map<PathStep, unknown>()
  if (!Array.isArray(value)) return index
  for (const [position, item] of value.entries()) {
    const step = elementStep(type, item, position)
    if (!index.has(step)) index.set(step, item)
  }
  return index
}

/**
 * An object without some fields.
 * @param value - the object
 * @param type - its type
 * @param removed - fields to leave out
 */
export function removeTyped(value: unknown, type: MergeType, removed: FieldSet): unknown {
  const shape = shapeOf(type, value)
  if (shape.kind === 'map' && isJsonMap(value)) return removeFromMap(value, shape.type, removed)
  if (shape.kind === 'list' && Array.isArray(value)) return removeFromList(value, shape.type, removed)
  return value
}

function removeFromMap(value: JsonMap, type: MapType, removed: FieldSet): unknown {
  const result: JsonMap = {}
  for (const [name, member] of Object.entries(value)) {
    const step = fieldStep(name)
    if (removed.members.has(step)) continue
    const below = removed.children.get(step)
    setMember(result, name, below === undefined ? member : removeTyped(member, memberType(type, name), below))
  }
  return Object.keys(result).length === 0 && Object.keys(value).length > 0 ? null : result
}

function removeFromList(value: readonly unknown[], type: ListType, removed: FieldSet): unknown {
  const result: unknown[] = []
  for (const [index, item] of value.entries()) {
    const step = elementStep(type, item, index)
    if (removed.members.has(step)) continue
    const below = removed.children.get(step)
    result.push(below === undefined ? item : removeTyped(item, type.element(), below))
  }
  return result.length === 0 && value.length > 0 ? null : result
}

/**
 * A set in which every declared field on the way to a path is a member itself.
 * @param set - a set
 * @param type - type of the object the paths are of
 */
export function withNamedFields(set: FieldSet, type: MergeType): FieldSet {
  const result = new FieldSet()
  for (const step of set.members) result.members.add(step)
  for (const [step, child] of set.children) {
    const name = step.slice(2)
    const isField = step.startsWith('f:')
    if (isField && type.kind === 'map' && type.field(name) !== undefined) result.members.add(step)
    const below =
      isField && type.kind === 'map' ? memberType(type, name) : type.kind === 'list' ? type.element() : DEDUCED
    result.children.set(step, withNamedFields(child, below))
  }
  return result
}
