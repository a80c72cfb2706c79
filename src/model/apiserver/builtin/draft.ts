import { isJsonMap, type JsonMap } from '../../../lib/apimachinery/index.ts'

/**
 * Member of a map as a map; an empty one where there is none.
 * @param map - parent
 * @param key - name of the member
 */
export function mapAt(map: JsonMap, key: string): JsonMap {
  const value = map[key]
  return isJsonMap(value) ? value : {}
}

/**
 * Member of a map as a list of maps.
 * @param map - parent
 * @param key - name of the member
 */
export function mapsAt(map: JsonMap, key: string): readonly JsonMap[] {
  const value = map[key]
  return Array.isArray(value) ? value.filter(isJsonMap) : []
}

/**
 * Member of a map as text; empty where there is none.
 * @param map - parent
 * @param key - name of the member
 */
export function textAt(map: JsonMap, key: string): string {
  const value = map[key]
  return typeof value === 'string' ? value : ''
}

/**
 * Sets members that are absent. For drafts only: objects that were copied and belong to the caller.
 * @param draft - map to complete
 * @param values - defaults; copied where they are objects
 */
export function fill(draft: JsonMap, values: JsonMap): void {
  for (const [key, value] of Object.entries(values)) {
    if (draft[key] === undefined || draft[key] === null) draft[key] = structuredClone(value)
  }
}

/**
 * The map below a key, created when absent.
 * @param draft - parent, belongs to the caller
 * @param key - name of the member
 */
export function ensureMap(draft: JsonMap, key: string): JsonMap {
  const value = draft[key]
  if (isJsonMap(value)) return value
  const created: JsonMap = {}
  draft[key] = created
  return created
}
