import { deepFreeze, type OpenApiSchema } from '../../lib/apimachinery/index.ts'
import { BUILTIN_DEFINITIONS } from './builtin/index.ts'
import { omittedZeros, type OmittedZeros } from './omitted-zero.data.ts'

/** The Go type of a field as far as decoding needs it. */
export type TypeNode =
  | {
      readonly type: 'struct'
      readonly name: string
      readonly fields: ReadonlyMap<string, FieldNode>
      /**
       * The field of a name; undefined where there is none.
       * @param index - place of the member in its object: most objects of a type have theirs in the same order
       */
      fieldAt(index: number, name: string): FieldNode | undefined
      /** Fields that are written even where an object leaves them out. */
      readonly written: readonly (readonly [name: string, empty: Readonly<Record<string, unknown>>])[]
      /** What became of frozen values when they were decoded; only for types of which the same values come again and again. */
      readonly decoded?: WeakMap<object, unknown>
    }
  | { readonly type: 'map'; readonly values: TypeNode }
  | { readonly type: 'list'; readonly items: TypeNode }
  | {
      readonly type:
        | 'string'
        | 'bytes'
        | 'bool'
        | 'int32'
        | 'int64'
        | 'double'
        | 'int-or-string'
        | 'quantity'
        | 'time'
        | 'microtime'
    }
  | { readonly type: 'any' }

/** A field of a struct. */
export interface FieldNode {
  readonly node: TypeNode
  readonly isRequired: boolean
  /** A struct that is always written, empty or not (a Go struct that is no pointer). */
  readonly isAlwaysWritten: boolean
  /** Which zeros of the field Go's encoder leaves out. */
  readonly omits: OmittedZeros
}

const ANY: TypeNode = { type: 'any' }

/** Definitions that are written as something else than their fields. */
const SPECIAL: Readonly<Record<string, TypeNode>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': { type: 'quantity' },
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': { type: 'int-or-string' },
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': { type: 'time' },
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': { type: 'microtime' },
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1': ANY,
  'io.k8s.apimachinery.pkg.runtime.RawExtension': ANY,
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON': ANY,
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool': ANY,
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray': ANY,
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray': ANY
}

/** Large types whose values are handed on: from a definition to servers, from a template to pods. */
const REPEATED: ReadonlySet<string> = new Set(['CustomResourceDefinitionVersion', 'PodSpec', 'Container'])

/** Places of members that are remembered. */
const MAX_ORDER = 32

const TREES = new Map<string, TypeNode>()
const REFERENCE = '#/components/schemas/'

/**
 * The type of a definition; made once.
 * @param name - name of a definition, e.g. `io.k8s.api.core.v1.Pod`
 */
export function typeTree(name: string): TypeNode {
  const special = SPECIAL[name]
  if (special !== undefined) return special
  const known = TREES.get(name)
  if (known !== undefined) return known
  const schema = BUILTIN_DEFINITIONS[name]
  if (schema === undefined) return ANY
  if (schema.properties === undefined) {
    const node = nodeOf(schema)
    TREES.set(name, node)
    return node
  }
  const struct = new StructType(name, schema)
  TREES.set(name, struct)
  return struct
}

/** A struct whose fields are read from its schema when they are first looked at: most types are never met. */
class StructType {
  readonly type = 'struct' as const
  readonly name: string
  readonly decoded?: WeakMap<object, unknown>
  readonly #schema: OpenApiSchema
  #fields: ReadonlyMap<string, FieldNode> | undefined
  /** Names and fields by place, as an object had them lately. */
  readonly #lastNames: string[] = []
  readonly #lastFields: FieldNode[] = []
  #written: readonly (readonly [name: string, empty: Readonly<Record<string, unknown>>])[] | undefined

  constructor(definition: string, schema: OpenApiSchema) {
    this.name = definition.slice(definition.lastIndexOf('.') + 1)
    this.#schema = schema
    if (REPEATED.has(this.name)) this.decoded = new WeakMap()
  }

  fieldAt(index: number, name: string): FieldNode | undefined {
    if (this.#lastNames[index] === name) return this.#lastFields[index]
    const field = this.fields.get(name)
    if (field === undefined || index >= MAX_ORDER) return field
    this.#lastNames[index] = name
    this.#lastFields[index] = field
    return field
  }

  get fields(): ReadonlyMap<string, FieldNode> {
    return (this.#fields ??= fieldsOf(this.name, this.#schema))
  }

  get written(): readonly (readonly [name: string, empty: Readonly<Record<string, unknown>>])[] {
    return (this.#written ??= [...this.fields]
      .filter(([, field]) => field.isAlwaysWritten)
      .map(([name, field]) => [name, deepFreeze(emptyStruct(field.node))]))
  }
}

function fieldsOf(struct: string, schema: OpenApiSchema): ReadonlyMap<string, FieldNode> {
  const fields = new Map<string, FieldNode>()
  const required = new Set(schema.required ?? [])
  for (const [field, property] of Object.entries(schema.properties ?? {})) {
    const node = nodeOf(property)
    const isAlwaysWritten = node.type === 'struct' && property.default !== undefined
    const isRequired = required.has(field)
    fields.set(field, { node, isRequired, isAlwaysWritten, omits: omittedZeros(struct, field, isRequired) })
  }
  return fields
}

function nodeOf(schema: OpenApiSchema): TypeNode {
  const reference = schema.$ref ?? schema.allOf?.[0]?.$ref
  if (reference !== undefined) return typeTree(reference.replace(REFERENCE, ''))
  if (schema.type === 'array') return { type: 'list', items: schema.items === undefined ? ANY : nodeOf(schema.items) }
  if (schema.type === 'object') {
    const values = schema.additionalProperties
    return typeof values === 'object' ? { type: 'map', values: nodeOf(values) } : ANY
  }
  return scalarNode(schema)
}

function scalarNode(schema: OpenApiSchema): TypeNode {
  if (schema.type === 'string') return { type: schema.format === 'byte' ? 'bytes' : 'string' }
  if (schema.type === 'boolean') return { type: 'bool' }
  if (schema.type === 'integer') return { type: schema.format === 'int64' ? 'int64' : 'int32' }
  if (schema.type === 'number') return { type: 'double' }
  return ANY
}

/**
 * What Go's zero value of a type is written as: the structs that are no pointers.
 * @param node - type
 */
export function zeroObject(node: TypeNode): Record<string, unknown> {
  const zero: Record<string, unknown> = {}
  if (node.type !== 'struct') return zero
  for (const [name, field] of node.fields) {
    if (field.isAlwaysWritten) zero[name] = zeroObject(field.node)
    else if (field.isRequired && (field.node.type === 'list' || field.node.type === 'map')) zero[name] = null
  }
  return zero
}

/** An empty struct with the structs inside it that are always written. */
function emptyStruct(node: TypeNode): Record<string, unknown> {
  const empty: Record<string, unknown> = {}
  if (node.type !== 'struct') return empty
  for (const [name, field] of node.fields) if (field.isAlwaysWritten) empty[name] = emptyStruct(field.node)
  return empty
}
