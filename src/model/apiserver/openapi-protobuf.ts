import { isJsonMap } from '../../lib/apimachinery/index.ts'

type Json = Record<string, unknown>

const VARINT = 0
const BYTES = 2

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
  return Buffer.from(bytes)
}

function field(number: number, content: Buffer): Buffer {
  return Buffer.concat([varint((number << 3) | BYTES), varint(content.length), content])
}

function textField(number: number, value: unknown): Buffer {
  return typeof value === 'string' && value !== '' ? field(number, Buffer.from(value)) : Buffer.alloc(0)
}

function flagField(number: number, value: boolean): Buffer {
  return value ? Buffer.concat([varint((number << 3) | VARINT), varint(1)]) : Buffer.alloc(0)
}

/** gnostic `Any`: the value as YAML, of which JSON is a part. */
function anyValue(value: unknown): Buffer {
  return field(2, Buffer.from(JSON.stringify(value)))
}

function named(name: string, content: Buffer): Buffer {
  return Buffer.concat([textField(1, name), field(2, content)])
}

function extensions(schema: Json): Buffer[] {
  return Object.entries(schema)
    .filter(([key]) => key.startsWith('x-'))
    .map(([key, value]) => field(31, named(key, anyValue(value))))
}

function additional(value: unknown): Buffer {
  if (value === undefined) return Buffer.alloc(0)
  return field(21, isJsonMap(value) ? field(1, schemaMessage(value)) : flagField(2, value === true))
}

/** gnostic openapi_v2 `Schema`; field numbers of OpenAPIv2.proto (google/gnostic-models, Apache-2.0). */
function schemaMessage(schema: Json): Buffer {
  const { required, properties, items, type } = schema
  const propertyFields = Object.entries(isJsonMap(properties) ? properties : {}).map(([name, property]) =>
    field(1, named(name, schemaMessage(isJsonMap(property) ? property : {})))
  )
  return Buffer.concat([
    textField(1, schema['$ref']),
    textField(2, schema['format']),
    textField(4, schema['description']),
    ...(Array.isArray(required) ? required.map((name) => textField(19, name)) : []),
    additional(schema['additionalProperties']),
    typeof type === 'string' ? field(22, textField(1, type)) : Buffer.alloc(0),
    isJsonMap(items) ? field(23, field(1, schemaMessage(items))) : Buffer.alloc(0),
    propertyFields.length === 0 ? Buffer.alloc(0) : field(25, Buffer.concat(propertyFields)),
    ...extensions(schema)
  ])
}

/**
 * An OpenAPI v2 document in the encoding kubectl asks for when it validates on its own side
 * (`application/com.github.proto-openapi.spec.v2@v1.0+protobuf`).
 * @param document - document with definitions
 */
export function encodeSwagger(document: Json): Buffer {
  const info = isJsonMap(document['info']) ? document['info'] : {}
  const definitions = Object.entries(isJsonMap(document['definitions']) ? document['definitions'] : {}).map(
    ([name, schema]) => field(1, named(name, schemaMessage(isJsonMap(schema) ? schema : {})))
  )
  return Buffer.concat([
    textField(1, document['swagger']),
    field(2, Buffer.concat([textField(1, info['title']), textField(2, info['version'])])),
    field(8, Buffer.alloc(0)),
    field(9, Buffer.concat(definitions))
  ])
}
