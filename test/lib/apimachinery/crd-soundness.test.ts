import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  compileCrd,
  deepFreeze,
  defaultBySchema,
  pruneBySchema,
  validateAgainstSchema,
  type CompiledCrdVersion,
  type OpenApiSchema
} from '../../../src/lib/apimachinery/index.ts'

function compiled(schema: OpenApiSchema): CompiledCrdVersion {
  const version = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }
  const spec = {
    group: 'test.dev',
    scope: 'Namespaced',
    names: { kind: 'Thing', plural: 'things' },
    versions: [version]
  }
  const [first] = compileCrd({ spec }).versions
  if (first === undefined) throw new Error('no version')
  return first
}

const limit: fc.Arbitrary<OpenApiSchema> = fc.constantFrom<OpenApiSchema>(
  { nullable: true },
  { enum: ['x', 1, null, true] },
  { maxLength: 1 },
  { minLength: 2 },
  { pattern: '^x' },
  { format: 'date' },
  { format: 'odd' },
  { minimum: 1 },
  { maximum: 1 },
  { multipleOf: 2 },
  { minItems: 1 },
  { maxItems: 1 },
  { minProperties: 1 },
  { maxProperties: 1 },
  { required: ['a'] },
  { not: { enum: ['x'] } },
  { anyOf: [{ type: 'integer' }, { type: 'string' }] },
  { 'x-kubernetes-preserve-unknown-fields': true },
  { 'x-kubernetes-embedded-resource': true },
  { 'x-kubernetes-int-or-string': true },
  { additionalProperties: true },
  { default: 'x' },
  { default: 1 },
  { default: {} },
  { default: null }
)
const limits = fc
  .tuple(fc.constantFrom(0, 0, 1, 2), limit, limit)
  .map(([count, one, other]): OpenApiSchema => (count === 0 ? {} : count === 1 ? one : { ...one, ...other }))

const TYPES = ['string', 'integer', 'number', 'boolean', 'array', 'object']
const SCALARS: readonly unknown[] = ['x', 'yy', '2026-01-01', 0, 1, 1.5, true, null, undefined]
function schemasOf(depth: number): fc.Arbitrary<OpenApiSchema> {
  if (depth === 0) return fc.record({ type: fc.constantFrom('string', 'integer', 'number', 'boolean') })
  const below = schemasOf(depth - 1)
  const shape = fc.constantFrom('object', 'object', 'array', 'map', 'scalar')
  return fc
    .tuple(limits, shape, fc.constantFrom(...TYPES), below, below)
    .map(([own, kind, type, one, other]): OpenApiSchema => {
      if (kind === 'object') return { type: 'object', properties: { a: one, b: other }, ...own }
      if (kind === 'array') return { type: 'array', items: one, ...own }
      return kind === 'map' ? { type: 'object', additionalProperties: one, ...own } : { type, ...own }
    })
}

const schemas = schemasOf(3)

/** A value that mostly fits a schema; the draws say where it does not. */
function fitting(schema: OpenApiSchema | undefined, draws: Iterator<number>, depth = 0): unknown {
  const draw = Number(draws.next().value ?? 0)
  if (schema === undefined || draw < 1 || depth > 4) return SCALARS[draw % SCALARS.length]
  switch (schema.type) {
    case 'array':
      return Array.from({ length: draw % 3 }, () => fitting(schema.items, draws, depth + 1))
    case 'object':
      return Object.fromEntries(
        [...Object.keys(schema.properties ?? {}), ...(draw % 7 === 0 ? ['kind', 'metadata', 'd'] : [])].map((key) => {
          const additional = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
          return [key, fitting(schema.properties?.[key] ?? additional, draws, depth + 1)]
        })
      )
    case 'boolean':
      return draw % 2 === 0
    default:
      return schema.type === 'string' ? SCALARS[draw % 3] : draw % 3
  }
}

const draws = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 20, maxLength: 40 })

describe('compiled definitions', () => {
  test('find in one look what pruning, defaulting and validation find', () => {
    let sound = 0
    fc.assert(
      fc.property(schemas, schemas, draws, draws, (left, right, first, second) => {
        const schema: OpenApiSchema = { type: 'object', properties: { spec: left, status: right } }
        const version = compiled(schema)
        const [one, other] = [fitting(left, first.values()), fitting(right, second.values())]
        const old = deepFreeze({ kind: 'Thing', spec: one, status: other })
        version.validate(old)
        for (const object of [old, { ...old, status: fitting(right, first.values()) }, { ...old, spec: other }]) {
          expect(version.prune(object, old)).toEqual(pruneBySchema(object, schema))
          expect(version.default(object, old)).toEqual(defaultBySchema(object, schema))
          const errors = validateAgainstSchema(object, schema, '')
          if (errors.length === 0) sound += 1
          expect(version.validate(object)).toEqual(errors)
        }
      }),
      { seed: 11, numRuns: 1000 }
    )
    expect(sound).toBeGreaterThan(500)
  })

  test('refuse repetitions in lists that are sets or maps', () => {
    const map = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }
    const item: OpenApiSchema = { type: 'object', properties: { name: { type: 'string' } } }
    const version = compiled({
      type: 'object',
      properties: { spec: { type: 'object', properties: { list: { type: 'array', items: item, ...map } } } }
    })
    const good = deepFreeze({ spec: { list: [{ name: 'a' }, { name: 'b' }] } })
    expect(version.validate(good)).toEqual([])
    const bad = deepFreeze({ spec: { list: [good.spec.list[0], { name: 'a' }] } })
    expect(version.validate(bad, good)).toMatchObject([{ type: 'FieldValueDuplicate', field: 'spec.list[1]' }])
  })
})
