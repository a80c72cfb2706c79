import { isJsonMap } from './json.ts'

/** A schema of an OpenAPI v3 document with the extensions Kubernetes uses; also the schema of a CRD version. */
export interface OpenApiSchema {
  readonly $ref?: string
  readonly allOf?: readonly OpenApiSchema[]
  readonly anyOf?: readonly OpenApiSchema[]
  readonly oneOf?: readonly OpenApiSchema[]
  readonly not?: OpenApiSchema
  readonly type?: string
  readonly format?: string
  readonly title?: string
  readonly description?: string
  readonly default?: unknown
  readonly example?: unknown
  readonly nullable?: boolean
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: boolean
  readonly exclusiveMaximum?: boolean
  readonly multipleOf?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly uniqueItems?: boolean
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, OpenApiSchema>>
  readonly additionalProperties?: OpenApiSchema | boolean
  readonly items?: OpenApiSchema
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean
  readonly 'x-kubernetes-int-or-string'?: boolean
  readonly 'x-kubernetes-embedded-resource'?: boolean
  readonly 'x-kubernetes-list-type'?: string
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-map-type'?: string
  readonly 'x-kubernetes-patch-merge-key'?: string
  readonly 'x-kubernetes-patch-strategy'?: string
  readonly 'x-kubernetes-validations'?: readonly CelRule[]
  readonly 'x-kubernetes-group-version-kind'?: readonly { group: string; version: string; kind: string }[]
  readonly [extension: string]: unknown
}

/** One entry of `x-kubernetes-validations`. */
export interface CelRule {
  readonly rule: string
  readonly message?: string
  readonly messageExpression?: string
  readonly reason?: string
  readonly fieldPath?: string
  readonly optionalOldSelf?: boolean
}

/** Schemas by name, as `components.schemas` of a document holds them. */
export type SchemaDefinitions = Readonly<Record<string, OpenApiSchema>>

/** A schema whose reference is followed, with the name of the definition it came from. */
export interface ResolvedSchema {
  readonly schema: OpenApiSchema
  /** Full name of the definition, e.g. `io.k8s.api.core.v1.Container`; absent for inline schemas. */
  readonly name?: string
}

const REFERENCE = /^#\/(?:components\/schemas|definitions)\//

/**
 * Follows a `$ref`, also one inside a single `allOf` (as the v3 documents write it); extensions and defaults beside the
 * reference win over those of the definition.
 * @param schema - schema of a property or element
 * @param definitions - named schemas
 */
export function resolveSchema(schema: OpenApiSchema, definitions: SchemaDefinitions): ResolvedSchema {
  const reference = schema.$ref ?? (schema.allOf?.length === 1 ? schema.allOf[0]?.$ref : undefined)
  if (reference === undefined) return { schema }
  const name = reference.replace(REFERENCE, '')
  const target = definitions[name]
  if (target === undefined) return { schema: {}, name }
  const beside: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(schema)) {
    if (key !== '$ref' && key !== 'allOf' && key !== 'description') beside[key] = value
  }
  if (Object.keys(beside).length === 0) return { schema: target, name }
  return { schema: { ...target, ...beside }, name }
}

/**
 * Whether a value looks like a schema, for data read from untyped JSON.
 * @param value - any JSON value
 */
export function isOpenApiSchema(value: unknown): value is OpenApiSchema {
  return isJsonMap(value)
}
