import { describe, expect, test } from 'vitest'
import { compileCrd, fieldErrorText, type CompiledCrdVersion } from '../../../src/lib/apimachinery/index.ts'

function compile(spec: unknown): CompiledCrdVersion {
  const crd = compileCrd({
    spec: {
      group: 'example.org',
      scope: 'Namespaced',
      names: { kind: 'Widget', plural: 'widgets' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: { type: 'object', properties: { spec } } }
        }
      ]
    }
  })
  const [version] = crd.versions
  if (version === undefined) throw new Error('no version')
  return version
}

function texts(version: CompiledCrdVersion, spec: unknown, old?: unknown): string[] {
  const before = old === undefined ? undefined : { spec: old }
  return version.validate({ spec }, before).map(fieldErrorText)
}

describe('compileCrd', () => {
  const widget = compile({
    type: 'object',
    required: ['mode'],
    properties: {
      mode: { type: 'string', enum: ['fast', 'slow'], default: 'fast' },
      count: { type: 'integer', minimum: 0 },
      port: { 'x-kubernetes-int-or-string': true },
      nested: { type: 'object', default: {}, properties: { b: { type: 'integer', default: 7 } } },
      any: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      set: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } }
    }
  })

  test('fills in names and the age column', () => {
    const crd = compileCrd({
      spec: { group: 'g.org', names: { kind: 'Thing', plural: 'things' }, versions: [{ name: 'v1' }] }
    })
    expect(crd.names).toMatchObject({ listKind: 'ThingList', singular: 'thing' })
    expect(crd.versions[0]?.printerColumns[0]?.name).toBe('Age')
  })

  test('default: completes objects top down', () => {
    expect(widget.default({ spec: {} })).toEqual({ spec: { mode: 'fast', nested: { b: 7 } } })
  })

  test('prune: drops and names unknown fields', () => {
    const pruned = widget.prune({
      metadata: { name: 'x' },
      spec: { mode: 'fast', extra: 1, any: { deep: 1 } },
      other: 2
    })
    expect(pruned).toEqual({
      value: { metadata: { name: 'x' }, spec: { mode: 'fast', any: { deep: 1 } } },
      unknownFields: ['spec.extra', 'other']
    })
  })

  test('validate: words errors as the API server does', () => {
    expect(texts(widget, { mode: 'warp', count: -1 })).toEqual([
      'spec.mode: Unsupported value: "warp": supported values: "fast", "slow"',
      'spec.count: Invalid value: -1: spec.count in body should be greater than or equal to 0'
    ])
    expect(texts(widget, { port: 1.5 })).toEqual([
      'spec.mode: Required value',
      'spec.port: Invalid value: "number": spec.port in body must be of type integer,string: "number"'
    ])
    expect(texts(widget, { mode: 'fast', set: ['a', 'a'] })).toEqual(['spec.set[1]: Duplicate value: "a"'])
  })

  test('validate: leaves alone what an update does not change', () => {
    expect(texts(widget, { mode: 'warp', count: 1 }, { mode: 'warp' })).toEqual([])
  })
})

describe('x-kubernetes-validations', () => {
  const ruled = compile({
    type: 'object',
    properties: {
      id: { type: 'string', 'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'id is fixed' }] },
      min: { type: 'integer' },
      max: { type: 'integer' },
      name: { type: 'string', maxLength: 3 }
    },
    'x-kubernetes-validations': [
      {
        rule: '!has(self.min) || self.min <= self.max',
        messageExpression: '"min " + string(self.min) + " is above max"'
      },
      {
        rule: 'has(self.id) || !has(oldSelf.id)',
        message: 'id must stay',
        reason: 'FieldValueForbidden',
        fieldPath: '.id'
      }
    ]
  })

  test('messageExpression gives the text', () => {
    expect(texts(ruled, { min: 3, max: 2 })).toEqual(['spec: Invalid value: min 3 is above max'])
  })

  test('an evaluation error is reported with the rule', () => {
    expect(texts(ruled, { min: 3 })).toEqual([
      'spec: Invalid value: "object": no such key: max evaluating rule: !has(self.min) || self.min <= self.max'
    ])
  })

  test('transition rules run on update only', () => {
    expect(texts(ruled, { id: 'a' })).toEqual([])
    expect(texts(ruled, { id: 'b' }, { id: 'a' })).toEqual(['spec.id: Invalid value: "b": id is fixed'])
    expect(texts(ruled, {}, { id: 'a' })).toEqual(['spec.id: Forbidden: id must stay'])
  })

  test('are not run when the object is broken otherwise', () => {
    expect(texts(ruled, { min: 3, max: 2, name: 'long' })).toEqual([
      'spec.name: Too long: may not be more than 3 bytes',
      '<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation'
    ])
  })
})
