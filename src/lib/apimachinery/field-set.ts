import { keptByText } from '../memory/index.ts'
import { compareText, isJsonMap, stableStringify, type JsonMap } from './json.ts'

/**
 * One step of a field path in fieldsV1 spelling: `f:name` a field, `k:{"name":"a"}` a list element by keys, `v:"x"` an element of
 * a set by value, `i:0` an element by position.
 */
export type PathStep = string

/** Step to a field of that name; kept, since a text that is put together anew costs a thousand instructions to look up. */
export const fieldStep: (name: string) => PathStep = keptByText(4096, (name: string) => `f:${name}`)

const RANKS: Readonly<Record<string, number>> = { f: 0, k: 1, v: 2, i: 3 }

function compareSteps(left: PathStep, right: PathStep): number {
  const rank = (RANKS[left.charAt(0)] ?? 4) - (RANKS[right.charAt(0)] ?? 4)
  if (rank !== 0) return rank
  return left.startsWith('i:') ? Number(left.slice(2)) - Number(right.slice(2)) : compareText(left, right)
}

/** A set of field paths as a tree (structured-merge-diff `fieldpath.Set`). Immutable for its users; built with {@link FieldSet.insert}. */
export class FieldSet {
  readonly members: Set<PathStep> = new Set()
  readonly children: Map<PathStep, FieldSet> = new Map()

  /**
   * Adds a path.
   * @param path - empty paths are ignored
   */
  insert(path: readonly PathStep[]): void {
    const [first, ...rest] = path
    if (first === undefined) return
    if (rest.length === 0) this.members.add(first)
    else this.#descend(first).insert(rest)
  }

  #descend(step: PathStep): FieldSet {
    const known = this.children.get(step)
    if (known !== undefined) return known
    const child = new FieldSet()
    this.children.set(step, child)
    return child
  }

  /**
   * Whether exactly this path is in the set.
   * @param path - not empty
   */
  has(path: readonly PathStep[]): boolean {
    const [first, ...rest] = path
    if (first === undefined) return false
    if (rest.length === 0) return this.members.has(first)
    return this.children.get(first)?.has(rest) ?? false
  }

  /** Children are never empty, so one look is enough. */
  get isEmpty(): boolean {
    return this.members.size === 0 && this.children.size === 0
  }

  /**
   * Paths in this set or the other.
   * @param other - a set
   */
  union(other: FieldSet): FieldSet {
    const result = new FieldSet()
    for (const step of this.members) result.members.add(step)
    for (const step of other.members) result.members.add(step)
    for (const step of new Set([...this.children.keys(), ...other.children.keys()])) {
      const mine = this.children.get(step)
      const theirs = other.children.get(step)
      const child = mine === undefined ? theirs : theirs === undefined ? mine : mine.union(theirs)
      if (child !== undefined) result.children.set(step, child)
    }
    return result
  }

  /**
   * Paths in this set and the other.
   * @param other - a set
   */
  intersection(other: FieldSet): FieldSet {
    const result = new FieldSet()
    for (const step of this.members) if (other.members.has(step)) result.members.add(step)
    for (const [step, child] of this.children) {
      const theirs = other.children.get(step)
      if (theirs !== undefined) result.#keep(step, child.intersection(theirs))
    }
    return result
  }

  /**
   * Paths of this set that are not in the other; paths below a path of the other stay.
   * @param other - a set
   */
  difference(other: FieldSet): FieldSet {
    const result = new FieldSet()
    for (const step of this.members) if (!other.members.has(step)) result.members.add(step)
    for (const [step, child] of this.children) {
      const theirs = other.children.get(step)
      result.#keep(step, theirs === undefined ? child : child.difference(theirs))
    }
    return result
  }

  /**
   * Paths of this set that are neither in the other nor below one of its paths.
   * @param other - a set
   */
  recursiveDifference(other: FieldSet): FieldSet {
    const result = new FieldSet()
    for (const step of this.members) if (!other.members.has(step)) result.members.add(step)
    for (const [step, child] of this.children) {
      if (other.members.has(step)) continue
      const theirs = other.children.get(step)
      result.#keep(step, theirs === undefined ? child : child.recursiveDifference(theirs))
    }
    return result
  }

  #keep(step: PathStep, child: FieldSet): void {
    if (!child.isEmpty) this.children.set(step, child)
  }

  /**
   * Whether both hold the same paths.
   * @param other - a set
   */
  equals(other: FieldSet): boolean {
    return this.difference(other).isEmpty && other.difference(this).isEmpty
  }

  /** All paths: own members first, then those of the children, each in order. */
  *paths(prefix: readonly PathStep[] = []): Generator<readonly PathStep[]> {
    for (const step of [...this.members].sort(compareSteps)) yield [...prefix, step]
    for (const [step, child] of [...this.children].sort(([left], [right]) => compareSteps(left, right))) {
      yield* child.paths([...prefix, step])
    }
  }
}

/**
 * Decodes the fieldsV1 form.
 * @param value - e.g. `{"f:spec":{"f:replicas":{}}}`
 */
export function decodeFieldSet(value: unknown): FieldSet {
  const result = new FieldSet()
  if (!isJsonMap(value)) return result
  for (const [step, below] of Object.entries(value)) {
    if (step === '.') continue
    const canonical = canonicalStep(step)
    const inner = isJsonMap(below) ? below : {}
    if (Object.keys(inner).length === 0 || Object.hasOwn(inner, '.')) result.members.add(canonical)
    const child = decodeFieldSet(inner)
    if (!child.isEmpty) result.children.set(canonical, child)
  }
  return result
}

/** Keys and values inside a step are compared as text, so their spelling must be one. */
function canonicalStep(step: string): PathStep {
  if (!step.startsWith('k:') && !step.startsWith('v:')) return step
  try {
    return step.slice(0, 2) + stableStringify(JSON.parse(step.slice(2)))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return step
  }
}

/** Encoded forms: operations share untouched subtrees, so most of a set has been encoded before. */
const ENCODED = new WeakMap<FieldSet, JsonMap>()

/**
 * Encodes a set in the fieldsV1 form, keys in order. The result is frozen and shared between calls: the set must not grow afterwards.
 * @param set - a set
 */
export function encodeFieldSet(set: FieldSet): JsonMap {
  const known = ENCODED.get(set)
  if (known !== undefined) return known
  const result: JsonMap = {}
  const steps = new Set([...set.members, ...set.children.keys()])
  for (const step of [...steps].sort(compareSteps)) {
    const child = set.children.get(step)
    if (child === undefined) result[step] = NOTHING_BELOW
    else
      result[step] = set.members.has(step)
        ? Object.freeze({ '.': NOTHING_BELOW, ...encodeFieldSet(child) })
        : encodeFieldSet(child)
  }
  Object.freeze(result)
  ENCODED.set(set, result)
  return result
}

const NOTHING_BELOW: JsonMap = Object.freeze({})

/**
 * A path as error messages print it: `.spec.containers[name="a"].image`.
 * @param path - steps
 */
export function fieldPathText(path: readonly PathStep[]): string {
  return path.map(stepText).join('')
}

function stepText(step: PathStep): string {
  const body = step.slice(2)
  if (step.startsWith('f:')) return `.${body}`
  if (step.startsWith('i:')) return `[${body}]`
  if (step.startsWith('v:')) return `[=${body}]`
  const keys: unknown = JSON.parse(body)
  if (!isJsonMap(keys)) return `[${body}]`
  const parts = Object.keys(keys).sort(compareText)
  return `[${parts.map((key) => `${key}=${JSON.stringify(keys[key])}`).join(',')}]`
}
