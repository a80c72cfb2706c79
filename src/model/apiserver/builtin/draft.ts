import { copyOf, isJsonMap, mapShared, withoutMembers, type JsonMap } from '../../../lib/apimachinery/index.ts'

/**
 * A member as a map; an empty one where there is none.
 * @param value - of the member, read at the caller's: reading members of any name in one place takes ten times as long
 */
export function mapOf(value: unknown): JsonMap {
  return isJsonMap(value) ? value : {}
}

/**
 * Member of a map as a map; an empty one where there is none.
 * @param map - parent
 * @param key - name of the member; for fixed names there is {@link mapOf}
 */
export function mapAt(map: JsonMap, key: string): JsonMap {
  return mapOf(map[key])
}

/**
 * A member as a list of maps.
 * @param value - of the member
 */
export function mapsOf(value: unknown): readonly JsonMap[] {
  if (!Array.isArray(value)) return NO_MAPS
  const list: readonly unknown[] = value
  // A loop: the methods and the iterators of frozen lists take several times as long.
  for (let index = 0; index < list.length; index++) if (!isJsonMap(list[index])) return list.filter(isJsonMap)
  return list as readonly JsonMap[]
}

/**
 * Member of a map as a list of maps.
 * @param map - parent
 * @param key - name of the member; for fixed names there is {@link mapsOf}
 */
export function mapsAt(map: JsonMap, key: string): readonly JsonMap[] {
  return mapsOf(map[key])
}

const NO_MAPS: readonly JsonMap[] = Object.freeze([])

/**
 * A member as text; empty where there is none.
 * @param value - of the member
 */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/**
 * Member of a map as text; empty where there is none.
 * @param map - parent
 * @param key - name of the member; for fixed names there is {@link textOf}
 */
export function textAt(map: JsonMap, key: string): string {
  return textOf(map[key])
}

/**
 * A map with members that are absent or null filled in; the map itself where nothing is missing.
 * @param map - not changed
 * @param values - defaults; shared, never changed
 */
export function filled(map: JsonMap, values: JsonMap): JsonMap {
  let changed: JsonMap | undefined
  for (const key in values) {
    if (map[key] === undefined || map[key] === null) (changed ??= copyOf(map))[key] = values[key]
  }
  return changed ?? map
}

/**
 * A map with one member replaced; the map itself where the member is that value already.
 * @param map - not changed
 * @param key - name of the member
 * @param value - new value
 */
export function withMember(map: JsonMap, key: string, value: unknown): JsonMap {
  if (map[key] === value) return map
  const copy = copyOf(map)
  copy[key] = value
  return copy
}

/**
 * A map without a member; the map itself where there is none.
 * @param map - not changed
 * @param key - name of the member
 */
export function withoutMember(map: JsonMap, key: string): JsonMap {
  return map[key] === undefined ? map : withoutMembers(map, [key])
}

/**
 * A map whose member, a map that is created when absent, is changed; the map itself where that changes nothing.
 * @param map - not changed
 * @param key - name of the member
 * @param change - gives the new member
 */
export function withMap(map: JsonMap, key: string, change: (member: JsonMap) => JsonMap): JsonMap {
  const member = map[key]
  return withMember(map, key, change(isJsonMap(member) ? member : {}))
}

/**
 * Like {@link withMap}, but an absent member stays absent.
 * @param map - not changed
 * @param key - name of the member
 * @param change - gives the new member
 */
export function withPresent(map: JsonMap, key: string, change: (member: JsonMap) => JsonMap): JsonMap {
  const member = map[key]
  return isJsonMap(member) ? withMember(map, key, change(member)) : map
}

/**
 * A map whose member, a list of maps, is changed item by item; the map itself where that changes nothing.
 * @param map - not changed
 * @param key - name of the member
 * @param change - gives the new item
 */
export function withEach(map: JsonMap, key: string, change: (item: JsonMap) => JsonMap): JsonMap {
  const list = map[key]
  if (!Array.isArray(list)) return map
  return withMember(
    map,
    key,
    mapShared(list as unknown[], (item) => (isJsonMap(item) ? change(item) : item))
  )
}
