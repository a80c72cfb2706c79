import { compileCel } from './cel-environment.ts'
import { isJsonMap } from './json.ts'
import { memberSchema } from './crd-schema-validation.ts'
import type { OpenApiSchema } from './openapi.ts'

/** Words a property may be named by that CEL reserves; Kubernetes writes them `__word__`. */
const RESERVED: ReadonlySet<string> = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' '
  )
)

/**
 * The CEL value of a JSON value: integers as int, formats as timestamps, durations and bytes, property names escaped.
 * @param value - JSON value that fits the schema
 * @param schema - structural schema; without one, whole numbers become int
 */
export function celValue(value: unknown, schema: OpenApiSchema | undefined): unknown {
  if (Array.isArray(value)) return value.map((item) => celValue(item, schema?.items))
  if (isJsonMap(value)) return celObject(value, schema)
  if (typeof value === 'number') return schema?.type === 'number' || !Number.isInteger(value) ? value : BigInt(value)
  if (typeof value === 'string' && schema?.format !== undefined) return celText(value, schema.format)
  return value
}

function celObject(value: Record<string, unknown>, schema: OpenApiSchema | undefined): unknown {
  const isMap = schema?.properties === undefined && typeof schema?.additionalProperties === 'object'
  const result = new Map<string, unknown>()
  for (const [name, member] of Object.entries(value)) {
    const property = schema === undefined ? undefined : memberSchema(schema, name)
    result.set(isMap ? name : escapePropertyName(name), celValue(member, property))
  }
  return result
}

/** CEL's own conversions give the values; a text they refuse stays text. */
function celText(text: string, format: string): unknown {
  switch (format) {
    case 'date-time':
      return converted('timestamp(text)', text)
    case 'date':
      return converted('timestamp(text)', `${text}T00:00:00Z`)
    case 'duration':
      return converted('duration(text)', text)
    case 'byte':
      return new Uint8Array(Buffer.from(text, 'base64'))
    default:
      return text
  }
}

function converted(expression: string, text: string): unknown {
  try {
    return compileCel(expression)({ text })
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return text
  }
}

/**
 * Name of a property in CEL: `a.b` is written `a__dot__b`, `namespace` is `__namespace__` (apiextensions `cel.Escape`).
 * @param name - property name
 */
function escapePropertyName(name: string): string {
  if (RESERVED.has(name)) return `__${name}__`
  return name
    .replaceAll('__', '__underscores__')
    .replaceAll('.', '__dot__')
    .replaceAll('-', '__dash__')
    .replaceAll('/', '__slash__')
}
