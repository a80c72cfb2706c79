import { keptByText } from '../memory/index.ts'

/** A JSON object whose members are not known yet. */
export type JsonMap = Record<string, unknown>

/**
 * Whether a value is a JSON object (not null, not an array).
 * @param value - any JSON value
 */
export function isJsonMap(value: unknown): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Whether two JSON values are equal: objects without regard to the order of keys, arrays in order.
 * A member that is `undefined` counts as absent.
 * @param left - any JSON value
 * @param right - any JSON value
 */
export function deepEqual(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (Array.isArray(left)) return Array.isArray(right) && equalArrays(left, right)
  if (!isJsonMap(left) || !isJsonMap(right)) return false
  return equalMaps(left, right)
}

function equalArrays(left: readonly unknown[], right: readonly unknown[]): boolean {
  if (left.length !== right.length) return false
  for (let index = 0; index < left.length; index++) if (!deepEqual(left[index], right[index])) return false
  return true
}

function equalMaps(left: JsonMap, right: JsonMap): boolean {
  let size = 0
  // Members of the map that is gone through cost a tenth of those that are looked up by name.
  for (const key in left) {
    const member = left[key]
    if (member === undefined) continue
    size += 1
    const other = right[key]
    if (member !== other && (other === undefined || !deepEqual(member, other))) return false
  }
  for (const key in right) if (right[key] !== undefined) size -= 1
  return size === 0
}

/**
 * Whether two objects are equal but for one member.
 * @param left - any JSON object
 * @param right - any JSON object
 * @param except - name of the member that is not looked at
 */
export function sameMembers(left: JsonMap, right: JsonMap, except: string): boolean {
  for (const key in left) {
    const member = left[key]
    if (key !== except && !deepEqual(member, right[key])) return false
  }
  for (const key in right) if (key !== except && left[key] === undefined && right[key] !== undefined) return false
  return true
}

/**
 * Freezes a JSON value and everything below it, and returns it. Parts that are frozen already are taken
 * as deeply frozen, so that freezing a new object that shares parts with an old one costs only the new parts.
 * @param value - any JSON value
 */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  if (Array.isArray(value)) for (let index = 0; index < value.length; index++) deepFreeze(value[index] as unknown)
  else for (const key in value) deepFreeze(value[key])
  return value
}

/**
 * Copies a JSON value deeply; members that are `undefined` are left out.
 * @param value - any JSON value
 */
export function deepCopy<T>(value: T): T {
  return copy(value) as T
}

function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copy)
  if (!isJsonMap(value)) return value
  const result: JsonMap = {}
  for (const [key, member] of Object.entries(value)) if (member !== undefined) setMember(result, key, copy(member))
  return result
}

/**
 * A JSON value without members that are `undefined`; the value itself where there are none.
 * @param value - any JSON value; not changed
 */
export function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return mapShared(value, withoutUndefined)
  if (!isJsonMap(value)) return value
  let changed: JsonMap | undefined
  for (const key of Object.keys(value)) {
    const before = value[key]
    const after = withoutUndefined(before)
    if (after === before && before !== undefined) continue
    changed ??= { ...value }
    if (after === undefined) delete changed[key]
    else setMember(changed, key, after)
  }
  return changed ?? value
}

/**
 * Maps the items of a list; the list itself where every item stays what it is.
 * @param items - not changed
 * @param map - gives the new item
 */
export function mapShared<Item>(items: readonly Item[], map: (item: Item, index: number) => Item): readonly Item[] {
  let changed: Item[] | undefined
  for (let index = 0; index < items.length; index++) {
    const before = items[index] as Item
    const after = map(before, index)
    if (after !== before) (changed ??= [...items])[index] = after
  }
  return changed ?? items
}

/**
 * A shallow copy. `Object.assign` to an empty object is several times faster than a spread where objects of many shapes come.
 * @param map - not changed
 */
export function copyOf<T extends object>(map: T): T {
  return Object.hasOwn(map, '__proto__') ? { ...map } : Object.assign({} as T, map)
}

/**
 * A shallow copy with a member of another value.
 * @param map - not changed
 * @param name - name of the member
 * @param value - its new value
 */
export function copyWith<T extends object, Name extends keyof T>(map: T, name: Name, value: T[Name]): T {
  const copy = copyOf(map)
  copy[name] = value
  return copy
}

/**
 * A shallow copy without some members. Members that are deleted afterwards would leave a slow object.
 * @param map - not changed
 * @param names - members to leave out
 */
export function withoutMembers(map: JsonMap, names: readonly string[]): JsonMap {
  const result: JsonMap = {}
  for (const key in map) if (!names.includes(key)) setMember(result, key, map[key])
  return result
}

/**
 * Whether a map has no members.
 * @param map - a JSON object
 */
export function isEmptyMap(map: object): boolean {
  for (const key in map) if (Object.hasOwn(map, key)) return false
  return true
}

/**
 * Sets a member even where its name is `__proto__`, so that untrusted input cannot reach a prototype.
 * @param map - object to change
 * @param key - name of the member
 * @param value - new value
 */
export function setMember(map: JsonMap, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(map, key, { value, enumerable: true, writable: true, configurable: true })
  else map[key] = value
}

/**
 * Reads a member that the object itself has, never one of its prototype.
 * @param map - object to read
 * @param key - name of the member
 */
export function ownMember(map: JsonMap, key: string): unknown {
  return Object.hasOwn(map, key) ? map[key] : undefined
}

/**
 * JSON text with sorted keys and no white space: equal values give equal text. What is undefined is left out of objects and null in arrays.
 * @param value - any JSON value
 */
export function stableStringify(value: unknown): string {
  if (typeof value === 'string') return quoted(value)
  if (Array.isArray(value)) return stableArray(value)
  return isJsonMap(value) ? stableMap(value) : JSON.stringify(value ?? null)
}

function stableArray(items: readonly unknown[]): string {
  let text = '['
  for (let index = 0; index < items.length; index++)
    text += index === 0 ? stableStringify(items[index]) : `,${stableStringify(items[index])}`
  return `${text}]`
}

function stableMap(map: JsonMap): string {
  let text = ''
  for (const key of sortedKeys(map)) {
    const member = map[key]
    if (member === undefined) continue
    text += text === '' ? firstName(key) : nextName(key)
    text += stableStringify(member)
  }
  return text === '' ? '{}' : `${text}}`
}

/** Most keys that are sorted by insertion: `sort` has much to prepare for the few that objects mostly have. */
const FEW_KEYS = 16

/** The keys of a map by code unit, as compareText orders them. */
function sortedKeys(map: JsonMap): readonly string[] {
  const keys = Object.keys(map)
  if (keys.length > FEW_KEYS) return keys.sort()
  for (let end = 1; end < keys.length; end++) {
    const key = keys[end] as string
    let place = end
    for (; place > 0 && key < (keys[place - 1] as string); place--) keys[place] = keys[place - 1] as string
    keys[place] = key
  }
  return keys
}

/** Most texts whose JSON is kept, and the longest of them: names of fields and what they are set to come again and again. */
const QUOTED_MAX = 2000
const QUOTED_LENGTH_MAX = 64

const quotedShort = keptByText(QUOTED_MAX, (text) => JSON.stringify(text))
/** What comes before the value of an object's first member and of each that follows. */
const firstName = keptByText(QUOTED_MAX, (name) => `{${JSON.stringify(name)}:`)
const nextName = keptByText(QUOTED_MAX, (name) => `,${JSON.stringify(name)}:`)

/** A text as JSON. */
function quoted(text: string): string {
  return text.length > QUOTED_LENGTH_MAX ? JSON.stringify(text) : quotedShort(text)
}

/**
 * Order of two texts by code unit, which is Go's order of strings for everything in the basic plane.
 * @param left - a text
 * @param right - a text
 */
export function compareText(left: string, right: string): number {
  if (left < right) return -1
  return left > right ? 1 : 0
}

/**
 * A JSON value as Go prints it with `%v`: `map[a:1 b:[x y]]`, keys sorted, null as `<nil>`.
 * @param value - any JSON value
 */
export function goValueText(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(goValueText).join(' ')}]`
  if (!isJsonMap(value)) return String(value)
  const keys = Object.keys(value).sort(compareText)
  return `map[${keys.map((key) => `${key}:${goValueText(value[key])}`).join(' ')}]`
}

/**
 * A text as Go quotes it with `%q`.
 * @param text - any text
 */
export function goQuote(text: string): string {
  return JSON.stringify(text)
    .replaceAll(/\\u00([01][0-9a-f])/g, '\\x$1')
    .replaceAll('\u007f', '\\x7f')
}
