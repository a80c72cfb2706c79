import { deepCopy, isJsonMap, ownMember, setMember } from './json.ts'
import { memberSchema } from './crd-schema-validation.ts'
import { fieldPath, indexPath } from './field-error.ts'
import type { OpenApiSchema } from './openapi.ts'

/** A pruned value and what was dropped. */
export interface PruneResult {
  readonly value: unknown
  /** Paths of dropped fields, e.g. `spec.extra`, sorted as the API server reports them. */
  readonly unknownFields: readonly string[]
}

/** Members that every object of the API has, whatever its schema says. */
const OBJECT_MEMBERS: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata'])

/**
 * Drops what a structural schema does not specify.
 * @param value - custom resource, or a part of one
 * @param schema - structural schema
 * @param isResource - whether the value is an object with apiVersion, kind and metadata; default true
 */
export function pruneBySchema(value: unknown, schema: OpenApiSchema, isResource = true): PruneResult {
  const unknownFields: string[] = []
  const pruned = prune(value, schema, { path: '', isResource, unknownFields })
  return { value: pruned, unknownFields }
}

interface PruneContext {
  readonly path: string
  readonly isResource: boolean
  readonly unknownFields: string[]
}

function prune(value: unknown, schema: OpenApiSchema, context: PruneContext): unknown {
  if (Array.isArray(value)) {
    const { items } = schema
    if (items === undefined) return deepCopy(value)
    return value.map((item, index) =>
      prune(item, items, { ...context, path: indexPath(context.path, index), isResource: embeds(items) })
    )
  }
  if (!isJsonMap(value)) return value
  const result: Record<string, unknown> = {}
  for (const name of Object.keys(value)) pruneMember(value, name, schema, { ...context, result })
  return result
}

function embeds(schema: OpenApiSchema): boolean {
  return schema['x-kubernetes-embedded-resource'] === true
}

function pruneMember(
  value: Record<string, unknown>,
  name: string,
  schema: OpenApiSchema,
  context: PruneContext & { readonly result: Record<string, unknown> }
): void {
  const member = value[name]
  if (context.isResource && OBJECT_MEMBERS.has(name)) return setMember(context.result, name, deepCopy(member))
  const property = memberSchema(schema, name)
  const path = fieldPath(context.path, name)
  if (property !== undefined) {
    setMember(context.result, name, prune(member, property, { ...context, path, isResource: embeds(property) }))
  } else if (schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties === true) {
    setMember(context.result, name, deepCopy(member))
  } else {
    context.unknownFields.push(path)
  }
}

/**
 * Fills in the defaults of a structural schema, top down, so that a defaulted object gets the defaults of its members too.
 * Nulls that the schema does not allow give way to a default.
 * @param value - custom resource, or a part of one; not changed
 * @param schema - structural schema
 */
export function defaultBySchema(value: unknown, schema: OpenApiSchema): unknown {
  if (Array.isArray(value)) {
    const { items } = schema
    return items === undefined ? value : value.map((item) => defaultBySchema(defaultNull(item, items), items))
  }
  if (!isJsonMap(value)) return value
  const result: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(value)) {
    const property = memberSchema(schema, name)
    if (property === undefined) setMember(result, name, member)
    else if (member === null && property.nullable !== true && property.default !== undefined) continue
    else setMember(result, name, defaultBySchema(member, property))
  }
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (property.default !== undefined && ownMember(result, name) === undefined) {
      setMember(result, name, defaultBySchema(deepCopy(property.default), property))
    }
  }
  return result
}

function defaultNull(item: unknown, schema: OpenApiSchema): unknown {
  return item === null && schema.nullable !== true && schema.default !== undefined ? deepCopy(schema.default) : item
}
