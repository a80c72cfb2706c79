import { goValueText, isJsonMap, ownMember, setMember, type JsonMap } from './json.ts'
import type { PatchOutcome } from './json-patch.ts'
import { resolveSchema, type OpenApiSchema, type SchemaDefinitions } from './openapi.ts'
import { deleteFromPrimitives, orderMerged, uniquePrimitives } from './strategic-lists.ts'

/** How the patch treats one field. */
interface FieldMeta {
  readonly schema: OpenApiSchema | undefined
  /** Schema of the elements where the field is a list. */
  readonly mergeKey: string
  readonly merge: boolean
  readonly replace: boolean
}

/** Thrown inside the room, turned into a {@link PatchOutcome}. */
class StrategicPatchFailure extends Error {}

const DIRECTIVE = '$patch'
const RETAIN_KEYS = '$retainKeys'
const ORDER_PREFIX = '$setElementOrder/'
const DELETE_PREFIX = '$deleteFromPrimitiveList/'

/**
 * Applies a strategic merge patch (apimachinery `strategicpatch`, as of Kubernetes 1.36): maps merge, lists merge by the key their
 * schema names or are replaced, with the directives `$patch`, `$retainKeys`, `$setElementOrder/…` and `$deleteFromPrimitiveList/…`.
 * @param doc - current object; not changed, the result shares parts with it
 * @param patch - patch object; not changed, the result shares parts with it
 * @param schema - schema of the object's kind; absent: every list is replaced
 * @param definitions - what the schema's references name
 */
export function applyStrategicMergePatch(
  doc: unknown,
  patch: unknown,
  schema?: OpenApiSchema,
  definitions: SchemaDefinitions = {}
): PatchOutcome {
  if (!isJsonMap(patch)) return { ok: false, message: 'Invalid JSON Patch', kind: 'decode' }
  try {
    const merger = new StrategicMerger(definitions)
    return { ok: true, value: merger.mergeMap(isJsonMap(doc) ? doc : {}, patch, schema) }
  } catch (error) {
    if (!(error instanceof StrategicPatchFailure)) throw error
    return { ok: false, message: error.message, kind: 'apply' }
  }
}

class StrategicMerger {
  readonly #definitions: SchemaDefinitions

  constructor(definitions: SchemaDefinitions) {
    this.#definitions = definitions
  }

  mergeMap(before: JsonMap, patch: JsonMap, schema: OpenApiSchema | undefined): JsonMap {
    if (Object.hasOwn(patch, DIRECTIVE)) return mapDirective(patch)
    const original = { ...before }
    const rest = { ...patch }
    applyRetainKeys(original, rest)
    this.#applyElementOrders(original, rest, schema)
    for (const [key, value] of Object.entries(rest)) {
      if (key.startsWith(DELETE_PREFIX)) this.#deletePrimitives(original, key.slice(DELETE_PREFIX.length), value)
      else this.#mergeMember(original, key, value, schema)
    }
    return original
  }

  #deletePrimitives(original: JsonMap, key: string, values: unknown): void {
    const current = ownMember(original, key)
    if (Array.isArray(current) && Array.isArray(values)) setMember(original, key, deleteFromPrimitives(current, values))
  }

  #mergeMember(original: JsonMap, key: string, value: unknown, schema: OpenApiSchema | undefined): void {
    if (value === null) {
      delete original[key]
      return
    }
    const current = ownMember(original, key)
    if (isJsonMap(current) && isJsonMap(value)) {
      const meta = this.#fieldMeta(schema, key)
      setMember(original, key, meta.replace ? withoutDirectives(value) : this.mergeMap(current, value, meta.schema))
    } else if (Array.isArray(current) && Array.isArray(value)) {
      const meta = this.#fieldMeta(schema, key)
      setMember(original, key, meta.merge ? this.#mergeList(current, value, meta) : value)
    } else {
      setMember(original, key, withoutDirectives(value))
    }
  }

  #fieldMeta(schema: OpenApiSchema | undefined, key: string): FieldMeta {
    const own = schema?.properties === undefined ? undefined : schema.properties[key]
    const extra = typeof schema?.additionalProperties === 'object' ? schema.additionalProperties : undefined
    const property = own ?? extra
    if (property === undefined) return { schema: undefined, mergeKey: '', merge: false, replace: false }
    const { schema: resolved } = resolveSchema(property, this.#definitions)
    const strategies = (property['x-kubernetes-patch-strategy'] ?? '').split(',')
    return {
      schema: resolved.items === undefined ? resolved : resolveSchema(resolved.items, this.#definitions).schema,
      mergeKey: property['x-kubernetes-patch-merge-key'] ?? '',
      merge: strategies.includes('merge'),
      replace: strategies.includes('replace')
    }
  }

  #mergeList(original: unknown[], patch: readonly unknown[], meta: FieldMeta): unknown[] {
    if (original.length === 0 && patch.length === 0) return original
    const kinds = new Set([...original, ...patch].map((item) => (isJsonMap(item) ? 'map' : 'scalar')))
    if (kinds.size > 1) throw new StrategicPatchFailure('list element types are not identical')
    if (kinds.has('scalar')) {
      const merged = uniquePrimitives([...original, ...patch])
      return orderMerged({ merged, patchOrder: patch, serverOrder: original, mergeKey: '' })
    }
    return this.#mergeMapList(original.filter(isJsonMap), patch.filter(isJsonMap), meta)
  }

  #mergeMapList(server: readonly JsonMap[], patch: readonly JsonMap[], meta: FieldMeta): unknown[] {
    if (meta.mergeKey === '') throw new StrategicPatchFailure('cannot merge lists without merge key')
    const special = patch.filter((item) => Object.hasOwn(item, DIRECTIVE))
    const plain = patch.filter((item) => !Object.hasOwn(item, DIRECTIVE))
    let current = [...server]
    let replace = false
    for (const item of special) {
      if (item[DIRECTIVE] === 'replace') replace = true
      else current = removeEntries(current, item, meta.mergeKey)
    }
    if (replace) return plain
    const merged = this.#mergeEntries(current, plain, meta)
    return orderMerged({ merged, patchOrder: plain, serverOrder: server, mergeKey: meta.mergeKey })
  }

  #mergeEntries(current: readonly JsonMap[], patch: readonly JsonMap[], meta: FieldMeta): JsonMap[] {
    const result = [...current]
    for (const item of patch) {
      const key = item[meta.mergeKey]
      if (key === undefined) {
        throw new StrategicPatchFailure(
          `map: ${goValueText(item)} does not contain declared merge key: ${meta.mergeKey}`
        )
      }
      const index = result.findIndex((entry) => sameScalar(entry[meta.mergeKey], key))
      const existing = result[index]
      if (existing === undefined) result.push(withoutDirectives(item) as JsonMap)
      else result[index] = this.mergeMap(existing, item, meta.schema)
    }
    return result
  }

  #applyElementOrders(original: JsonMap, patch: JsonMap, schema: OpenApiSchema | undefined): void {
    for (const [directive, order] of Object.entries(patch)) {
      if (!directive.startsWith(ORDER_PREFIX)) continue
      delete patch[directive]
      const field = directive.slice(ORDER_PREFIX.length)
      if (!Array.isArray(order)) throw new StrategicPatchFailure(`expected a list for ${directive}`)
      const deletions = patch[`${DELETE_PREFIX}${field}`]
      if (deletions !== undefined) {
        this.#deletePrimitives(original, field, deletions)
        delete patch[`${DELETE_PREFIX}${field}`]
      }
      this.#applyElementOrder(original, patch, field, { order, meta: this.#fieldMeta(schema, field) })
    }
  }

  #applyElementOrder(
    original: JsonMap,
    patch: JsonMap,
    field: string,
    input: { order: unknown[]; meta: FieldMeta }
  ): void {
    const { order, meta } = input
    const server = ownMember(original, field)
    const change = ownMember(patch, field)
    delete patch[field]
    if (change !== undefined && change !== null && !Array.isArray(change))
      throw new StrategicPatchFailure('expected a list')
    if (change === null) {
      delete original[field]
      return
    }
    if (change !== undefined) checkOrder(change, order, meta.mergeKey)
    const merged = this.#mergedForOrder(server, change, meta)
    if (merged === undefined) return
    const serverOrder = Array.isArray(server) ? server : []
    setMember(original, field, orderMerged({ merged, patchOrder: order, serverOrder, mergeKey: meta.mergeKey }))
  }

  #mergedForOrder(server: unknown, change: readonly unknown[] | undefined, meta: FieldMeta): unknown[] | undefined {
    if (!Array.isArray(server)) return change === undefined ? undefined : (withoutDirectives([...change]) as unknown[])
    if (change === undefined) return server
    return meta.merge ? this.#mergeList(server, change, meta) : [...change]
  }
}

function sameScalar(left: unknown, right: unknown): boolean {
  return String(left) === String(right)
}

function mapDirective(patch: JsonMap): JsonMap {
  const directive = patch[DIRECTIVE]
  if (directive === 'delete') return {}
  if (directive === 'replace') {
    const { [DIRECTIVE]: _dropped, ...rest } = patch
    return rest
  }
  throw new StrategicPatchFailure(`unknown patch type: ${goValueText(directive)} in map: ${goValueText(patch)}`)
}

function removeEntries(current: readonly JsonMap[], item: JsonMap, mergeKey: string): JsonMap[] {
  const directive = item[DIRECTIVE]
  if (directive === 'merge') throw new StrategicPatchFailure('merging lists cannot yet be specified in the patch')
  if (directive !== 'delete') {
    throw new StrategicPatchFailure(`unknown patch type: ${goValueText(directive)} in map: ${goValueText(item)}`)
  }
  const key = item[mergeKey]
  if (key === undefined) {
    throw new StrategicPatchFailure(`map: ${goValueText(item)} does not contain declared merge key: ${mergeKey}`)
  }
  return current.filter((entry) => !sameScalar(entry[mergeKey], key))
}

function applyRetainKeys(original: JsonMap, patch: JsonMap): void {
  const retain = patch[RETAIN_KEYS]
  if (retain === undefined) return
  delete patch[RETAIN_KEYS]
  if (!Array.isArray(retain)) throw new StrategicPatchFailure('invalid patch format of retainKeys')
  const kept = new Set(retain.map(String))
  for (const [key, value] of Object.entries(patch)) {
    const directive = key.startsWith(ORDER_PREFIX) || key.startsWith(DELETE_PREFIX)
    if (value !== null && !directive && !kept.has(key))
      throw new StrategicPatchFailure('invalid patch format of retainKeys')
  }
  for (const key of Object.keys(original)) if (!kept.has(key)) delete original[key]
}

/** Every item of the patch must appear in the order list, in the same relative order. */
function checkOrder(change: readonly unknown[], order: readonly unknown[], mergeKey: string): void {
  const identity = (item: unknown): string => (isJsonMap(item) ? String(item[mergeKey]) : String(item))
  const wanted = order.map(identity)
  let from = 0
  for (const item of change) {
    if (isJsonMap(item) && item[DIRECTIVE] === 'delete') continue
    const at = wanted.indexOf(identity(item), from)
    if (at === -1) {
      throw new StrategicPatchFailure(
        `The order in patch list:\n${goValueText(change)}\n doesn't match $setElementOrder list:\n${goValueText(order)}\n`
      )
    }
    from = at + 1
  }
}

/** A new part of the document keeps neither nulls nor directives. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.filter((item) => !(isJsonMap(item) && item[DIRECTIVE] === 'delete'))
    return items.filter((item) => !isBareDirective(item)).map(withoutDirectives)
  }
  if (!isJsonMap(value)) return value
  const result: JsonMap = {}
  for (const [key, member] of Object.entries(value)) {
    const directive =
      key === DIRECTIVE || key === RETAIN_KEYS || key.startsWith(ORDER_PREFIX) || key.startsWith(DELETE_PREFIX)
    if (!directive && member !== null) setMember(result, key, withoutDirectives(member))
  }
  return result
}

function isBareDirective(item: unknown): boolean {
  return isJsonMap(item) && Object.hasOwn(item, DIRECTIVE) && Object.keys(item).length === 1
}
