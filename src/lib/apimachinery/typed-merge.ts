import { fieldPathText, fieldStep, type PathStep } from './field-set.ts'
import { isJsonMap, ownMember, setMember, type JsonMap } from './json.ts'
import { DEDUCED, type ListType, type MapType, type MergeType, type ScalarType } from './merge-type.ts'
import { elementStep } from './typed-value.ts'

/**
 * Merges a configuration into an object: scalars and atomic parts are taken from the configuration, the rest is merged by key
 * (structured-merge-diff v4 `Merge`).
 * @param live - current object
 * @param config - applied configuration; undefined: nothing to merge
 * @param type - their type
 */
export function mergeTyped(live: unknown, config: unknown, type: MergeType): unknown {
  if (config === undefined) return live
  if (live === undefined || live === null) return config
  if (type.kind === 'deduced') {
    return isJsonMap(live) && isJsonMap(config) && !type.atomicMaps ? mergeMembers(live, config, () => DEDUCED) : config
  }
  if (type.kind === 'map' && !type.atomic && isJsonMap(live) && isJsonMap(config)) {
    return mergeMembers(live, config, (name) => mergedMemberType(type, name))
  }
  if (type.kind === 'list' && type.relationship !== 'atomic' && Array.isArray(live) && Array.isArray(config)) {
    return mergeLists(live, config, type)
  }
  return config
}

function mergedMemberType(type: MapType, name: string): MergeType {
  return type.field(name) ?? type.element() ?? DEDUCED
}

function mergeMembers(live: JsonMap, config: JsonMap, typeOf: (name: string) => MergeType): JsonMap {
  const result: JsonMap = { ...live }
  for (const [name, value] of Object.entries(config))
    setMember(result, name, mergeTyped(ownMember(live, name), value, typeOf(name)))
  return result
}

interface Element {
  readonly step: PathStep
  readonly value: unknown
}

function elementsOf(list: readonly unknown[], type: ListType): Element[] {
  return list.map((value, index) => ({ step: elementStep(type, value, index), value }))
}

/** Elements keep the order of the configuration; those only the live object has keep their place relative to shared ones. */
function mergeLists(live: readonly unknown[], config: readonly unknown[], type: ListType): unknown[] {
  const left = elementsOf(live, type)
  const right = elementsOf(config, type)
  const leftByStep = new Map(left.map((element) => [element.step, element.value]))
  const rightSteps = new Set(right.map((element) => element.step))
  const shared = right.filter((element) => leftByStep.has(element.step)).map((element) => element.step)
  const merged = new Set<PathStep>()
  const result: unknown[] = []
  let leftAt = 0
  let rightAt = 0
  const takeRight = (): void => {
    const element = right[rightAt]
    if (element === undefined) return
    merged.add(element.step)
    result.push(mergeTyped(leftByStep.get(element.step), element.value, type.element()))
    rightAt += 1
    if (shared[0] === element.step) shared.shift()
  }
  while (leftAt < left.length || rightAt < right.length) {
    const mine = left[leftAt]
    const theirs = right[rightAt]
    if (mine !== undefined && theirs !== undefined) {
      if (mine.step === theirs.step) {
        takeRight()
        leftAt += 1
        continue
      }
      if (rightSteps.has(mine.step) && shared[0] !== undefined && shared[0] !== mine.step) {
        leftAt += 1
        continue
      }
    }
    if (mine !== undefined) {
      if (!rightSteps.has(mine.step)) {
        result.push(mine.value)
        leftAt += 1
        continue
      }
      if (merged.has(mine.step)) leftAt += 1
    }
    takeRight()
  }
  return result
}

/**
 * Errors of a configuration against its type, in the library's words.
 * @param value - configuration
 * @param type - its type
 */
export function typedErrors(value: unknown, type: MergeType): string[] {
  const errors: string[] = []
  check(value, type, [], errors)
  return errors
}

function check(value: unknown, type: MergeType, path: readonly PathStep[], errors: string[]): void {
  if (value === null || type.kind === 'deduced') return
  const report = (problem: string): void => {
    const where = fieldPathText(path)
    errors.push(where === '' ? problem : `${where}: ${problem}`)
  }
  if (type.kind === 'scalar') {
    const problem = scalarProblem(value, type.scalar)
    if (problem !== undefined) report(problem)
  } else if (type.kind === 'map') {
    if (isJsonMap(value)) checkMap(value, type, path, errors)
    else report(`expected map, got &{${goText(value)}}`)
  } else if (Array.isArray(value)) {
    checkList(value, type, path, { errors, report })
  } else {
    report(`expected list, got &{${goText(value)}}`)
  }
}

/** Go type of a decoded value, as `%T` prints it. */
function goType(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}'
  if (isJsonMap(value)) return 'map[string]interface {}'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  return typeof value === 'boolean' ? 'bool' : 'string'
}

/** A decoded value as `%#v` prints it. */
function goSyntax(value: unknown): string {
  if (value === null) return 'interface {}(nil)'
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`
  if (!isJsonMap(value)) return JSON.stringify(value)
  const members = Object.keys(value)
    .toSorted()
    .map((name) => `${JSON.stringify(name)}:${goSyntax(value[name])}`)
  return `map[string]interface {}{${members.join(', ')}}`
}

/** A decoded value as `%v` prints it. */
function goText(value: unknown): string {
  if (value === null) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (!isJsonMap(value)) return String(value)
  const members = Object.keys(value)
    .toSorted()
    .map((name) => `${name}:${goText(value[name])}`)
  return `map[${members.join(' ')}]`
}

/** What is wrong with a scalar; each type has a format of its own (structured-merge-diff v6 `typed/helpers.go` validateScalar). */
function scalarProblem(value: unknown, scalar: ScalarType['scalar']): string | undefined {
  if (scalar === 'untyped')
    return Array.isArray(value) || isJsonMap(value) ? `expected any scalar, got &{${goText(value)}}` : undefined
  if (scalar === 'string')
    return typeof value === 'string'
      ? undefined
      : `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`
  if (scalar === 'boolean') return typeof value === 'boolean' ? undefined : `expected boolean, got &{${goText(value)}}`
  return typeof value === 'number' ? undefined : `expected numeric (int or float), got ${goType(value)}`
}

function checkMap(value: JsonMap, type: MapType, path: readonly PathStep[], errors: string[]): void {
  for (const [name, member] of Object.entries(value)) {
    const below = [...path, fieldStep(name)]
    const found = type.field(name) ?? type.element()
    if (found === undefined) errors.push(`${fieldPathText(below)}: field not declared in schema`)
    else check(member, found, below, errors)
  }
}

interface Reporting {
  readonly errors: string[]
  readonly report: (problem: string) => void
}

function checkList(
  value: readonly unknown[],
  type: ListType,
  path: readonly PathStep[],
  { errors, report }: Reporting
): void {
  const seen = new Set<PathStep>()
  for (const [index, item] of value.entries()) {
    const problem = keyProblem(type, item)
    if (problem !== undefined) {
      report(`element ${index}: ${problem}`)
      return
    }
    const step = type.relationship === 'atomic' ? `i:${index}` : elementStep(type, item, index)
    if (seen.has(step)) report(`duplicate entries for key ${fieldPathText([step])}`)
    seen.add(step)
    check(item, type.element(), [...path, step], errors)
  }
}

function keyProblem(type: ListType, item: unknown): string | undefined {
  if (type.relationship !== 'map') return undefined
  if (!isJsonMap(item)) return 'associative list with keys may not have non-map elements'
  const missing = type.keys.find((key) => ownMember(item, key) === undefined && type.keyDefault(key) === undefined)
  if (missing === undefined) return undefined
  return `associative list with keys has an element that omits key field ${JSON.stringify(missing)} (and doesn't have default value)`
}
