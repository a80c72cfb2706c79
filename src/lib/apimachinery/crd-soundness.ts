import { formatTest } from './crd-formats.ts'
import { hasDefaults } from './crd-pruning.ts'
import { combinationErrors, hasIdentities, numberErrors, stringErrors } from './crd-schema-validation.ts'
import { deepEqual, isJsonMap, ownMember, type JsonMap } from './json.ts'
import type { OpenApiSchema } from './openapi.ts'
import { RecentResults } from './recent-results.ts'

const STRING = 1
const INTEGER = 2
const NUMBER = 4
const BOOLEAN = 8
const ARRAY = 16
const OBJECT = 32

const TYPE_BITS: Readonly<Record<string, number>> = {
  string: STRING,
  integer: INTEGER,
  number: INTEGER | NUMBER,
  boolean: BOOLEAN,
  array: ARRAY,
  object: OBJECT
}
const INT32_MAX = 2_147_483_647
const ANY_TYPE = STRING | INTEGER | NUMBER | BOOLEAN | ARRAY | OBJECT

/** Members that every object of the API has, whatever its schema says. */
const OBJECT_MEMBERS: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata'])

function typeBits(schema: OpenApiSchema): number {
  const own = schema.type === undefined ? 0 : (TYPE_BITS[schema.type] ?? 0)
  if (schema['x-kubernetes-int-or-string'] === true) return own | INTEGER | STRING
  return schema.type === undefined ? ANY_TYPE : own
}

/**
 * A schema, compiled for one question: does a value come through pruning, defaulting and validation (but for rules) as it
 * is? A "no" may be wrong, a "yes" never is: whoever gets a "no" goes the long way, which knows what is wrong.
 * What lies below is compiled when it is first met.
 */
export class SoundnessPlan {
  readonly #schema: OpenApiSchema
  readonly #types: number
  readonly #isNullable: boolean
  readonly #isCombined: boolean
  readonly #hasFormat: ((text: string) => boolean) | undefined
  readonly #isTextLimited: boolean
  readonly #isNumberLimited: boolean
  readonly #enum: readonly unknown[] | undefined
  readonly #isResource: boolean
  readonly #keepsUnknown: boolean
  /** Names of members that must be there: required ones and those with a default. */
  readonly #wanted: readonly string[]
  readonly #properties = new Map<string, SoundnessPlan>()
  #additional: SoundnessPlan | undefined
  #items: SoundnessPlan | undefined
  #isHeaderPlain: boolean | undefined
  /** Frozen values that were found sound: they come again with every write of their object. */
  readonly #known = new RecentResults<true>()

  /** @param schema - structural schema */
  constructor(schema: OpenApiSchema) {
    this.#schema = schema
    this.#types = typeBits(schema)
    this.#isNullable = schema.nullable === true
    const { allOf, anyOf, oneOf, not } = schema
    const hasChoice = anyOf !== undefined && schema['x-kubernetes-int-or-string'] !== true
    this.#isCombined = allOf !== undefined || hasChoice || oneOf !== undefined || not !== undefined
    this.#hasFormat = schema.format === undefined ? undefined : formatTest(schema.format)
    const { maxLength, minLength, pattern, maximum, minimum, multipleOf } = schema
    this.#isTextLimited = maxLength !== undefined || minLength !== undefined || pattern !== undefined
    this.#isNumberLimited = maximum !== undefined || minimum !== undefined || multipleOf !== undefined
    this.#enum = schema.enum
    this.#isResource = schema['x-kubernetes-embedded-resource'] === true
    this.#keepsUnknown = schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties === true
    this.#wanted = wantedMembers(schema)
  }

  /**
   * Whether a custom resource is sound. Its metadata is not looked at.
   * @param object - the resource; frozen parts are remembered
   * @param old - the stored resource: what it has in common with the other need not be looked at again
   */
  isSoundResource(object: JsonMap, old: JsonMap | undefined): boolean {
    if (!(this.#isHeaderPlain ??= this.#isPlainResource()) || !this.#isSized(object)) return false
    for (const name in object) {
      const member = object[name]
      if (name === 'metadata' && member !== undefined) continue
      const plan = this.#member(name)
      if (plan === undefined) {
        const isKept = name === 'apiVersion' || name === 'kind' || this.#keepsUnknown
        if (!isKept || !isComplete(member)) return false
      } else if (!plan.#isSoundPart(member, old?.[name])) return false
    }
    return hasAll(object, this.#wanted)
  }

  /** Whether nothing is asked of a resource as a whole, and nothing of its metadata. */
  #isPlainResource(): boolean {
    if (this.#isCombined || this.#enum !== undefined || (this.#types & OBJECT) === 0) return false
    const metadata = ownMember(this.#schema.properties ?? {}, 'metadata') as OpenApiSchema | undefined
    return metadata === undefined || (!hasDefaults(metadata) && !hasIdentities(metadata))
  }

  #isSoundPart(value: unknown, old: unknown): boolean {
    if (typeof value !== 'object' || value === null) return this.#isSound(value, undefined)
    if (this.#known.get(value) === true) return true
    const isOldKnown = typeof old === 'object' && old !== null && this.#known.get(old) === true
    if (!this.#isSound(value, isOldKnown ? old : undefined)) return false
    if (Object.isFrozen(value)) this.#known.set(value, true)
    return true
  }

  /** `old` is a sound value, or undefined. */
  #isSound(value: unknown, old: unknown): boolean {
    if (value === null) return this.#isNullable
    if (!this.#isOfType(value)) return false
    if (this.#enum !== undefined && !this.#enum.some((allowed) => deepEqual(allowed, value))) return false
    if (this.#isCombined && combinationErrors(value, this.#schema, '').length > 0) return false
    if (typeof value === 'string') return this.#isSoundText(value)
    if (typeof value === 'number') return this.#isSoundNumber(value)
    if (Array.isArray(value)) return this.#isSoundList(value, Array.isArray(old) ? old : NOTHING)
    return typeof value === 'boolean' || this.#isSoundMap(value as JsonMap, isJsonMap(old) ? old : undefined)
  }

  #isOfType(value: unknown): boolean {
    switch (typeof value) {
      case 'string':
        return (this.#types & STRING) !== 0
      case 'number':
        return (this.#types & (Number.isInteger(value) ? INTEGER : NUMBER)) !== 0
      case 'boolean':
        return (this.#types & BOOLEAN) !== 0
      case 'object':
        return (this.#types & (Array.isArray(value) ? ARRAY : OBJECT)) !== 0
      default:
        return false
    }
  }

  #isSoundNumber(value: number): boolean {
    const isSmall = value <= INT32_MAX && value >= -INT32_MAX
    return (isSmall && !this.#isNumberLimited) || numberErrors(value, this.#schema, '').length === 0
  }

  #isSoundText(text: string): boolean {
    if (this.#hasFormat !== undefined && !this.#hasFormat(text)) return false
    return !this.#isTextLimited || stringErrors(text, this.#schema, '').length === 0
  }

  #isSoundList(list: readonly unknown[], old: readonly unknown[]): boolean {
    const { items, minItems, maxItems } = this.#schema
    if (minItems !== undefined && list.length < minItems) return false
    if (maxItems !== undefined && list.length > maxItems) return false
    if (isRepetitive(list, this.#schema)) return false
    if (items === undefined) return list.every(isComplete)
    const plan = (this.#items ??= new SoundnessPlan(items))
    for (let index = 0; index < list.length; index++) {
      const item = list[index]
      if ((item !== old[index] || item === undefined) && !plan.#isSound(item, old[index])) return false
    }
    return true
  }

  #isSoundMap(map: JsonMap, old: JsonMap | undefined): boolean {
    if (!this.#isSized(map)) return false
    for (const name in map) {
      const member = map[name]
      if (old !== undefined && member === old[name] && member !== undefined) continue
      const plan = this.#member(name)
      const isHeader = this.#isResource && OBJECT_MEMBERS.has(name)
      if (plan === undefined ? !isHeader && !this.#keepsUnknown : !plan.#isSound(member, old?.[name])) return false
      if ((plan === undefined || isHeader) && !isComplete(member)) return false
    }
    return hasAll(map, this.#wanted)
  }

  #isSized(map: JsonMap): boolean {
    const { minProperties, maxProperties } = this.#schema
    if (minProperties === undefined && maxProperties === undefined) return true
    const size = Object.keys(map).length
    return size >= (minProperties ?? 0) && size <= (maxProperties ?? size)
  }

  /** Plan of a member: that of its property, or of additional ones. */
  #member(name: string): SoundnessPlan | undefined {
    const known = this.#properties.get(name)
    if (known !== undefined) return known
    const { properties, additionalProperties } = this.#schema
    const property = properties === undefined ? undefined : (ownMember(properties, name) as OpenApiSchema | undefined)
    if (property !== undefined) {
      const plan = new SoundnessPlan(property)
      this.#properties.set(name, plan)
      return plan
    }
    if (typeof additionalProperties !== 'object') return undefined
    return (this.#additional ??= new SoundnessPlan(additionalProperties))
  }
}

const NOTHING: readonly unknown[] = Object.freeze([])

function wantedMembers(schema: OpenApiSchema): readonly string[] {
  const wanted = new Set(schema.required ?? [])
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    if (property.default !== undefined) wanted.add(name)
  return [...wanted]
}

function hasAll(map: JsonMap, names: readonly string[]): boolean {
  for (const name of names) if (ownMember(map, name) === undefined) return false
  return true
}

/** Whether there is no `undefined` in a value. */
function isComplete(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value !== undefined
  if (Array.isArray(value)) return value.every(isComplete)
  const map = value as JsonMap
  for (const name in map) if (!isComplete(map[name])) return false
  return true
}

/** Whether items repeat in a list of type `set` or `map`, or are none that such a list can have. */
function isRepetitive(list: readonly unknown[], schema: OpenApiSchema): boolean {
  const type = schema['x-kubernetes-list-type']
  if (type !== 'set' && type !== 'map') return false
  if (type === 'map' && !list.every(isJsonMap)) return true
  const keys = type === 'map' ? (schema['x-kubernetes-list-map-keys'] ?? []) : undefined
  return list.some((item, index) => {
    for (let before = 0; before < index; before++) if (isSameItem(item, list[before], keys)) return true
    return false
  })
}

function isSameItem(item: unknown, other: unknown, keys: readonly string[] | undefined): boolean {
  if (keys === undefined || !isJsonMap(item) || !isJsonMap(other)) return deepEqual(item, other)
  for (const key of keys) if (!deepEqual(item[key], other[key])) return false
  return true
}
