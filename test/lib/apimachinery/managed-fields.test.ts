import { describe, expect, test } from 'vitest'
import {
  mergeTypeFromOpenApi,
  resetFieldSet,
  serverSideApply,
  trackUpdate,
  type JsonMap
} from '../../../src/lib/apimachinery/index.ts'

const type = mergeTypeFromOpenApi(
  {
    type: 'object',
    properties: {
      spec: { type: 'object', properties: { replicas: { type: 'integer' }, image: { type: 'string' } } },
      status: { type: 'object', properties: { ready: { type: 'integer' } } }
    }
  },
  {},
  true
)
const first = '2026-01-01T00:00:00Z'
const later = '2026-01-01T00:01:00Z'

function widget(spec: JsonMap): JsonMap {
  return { apiVersion: 'g/v1', kind: 'W', metadata: { name: 'w' }, spec }
}

function applied(manager: string, config: JsonMap, live?: JsonMap, force = false): ReturnType<typeof serverSideApply> {
  return serverSideApply({ live, config, type, manager, apiVersion: 'g/v1', now: first, force })
}

function objectOf(outcome: ReturnType<typeof serverSideApply>): JsonMap {
  if (!outcome.ok) throw new Error(outcome.message)
  return outcome.object
}

describe('trackUpdate', () => {
  test('a create is owned by its writer, without the fields nobody owns', () => {
    const stored = trackUpdate({
      live: undefined,
      next: widget({ replicas: 1 }),
      type,
      manager: 'm',
      apiVersion: 'g/v1',
      now: first
    })
    expect(stored['metadata']).toEqual({
      name: 'w',
      managedFields: [
        {
          manager: 'm',
          operation: 'Update',
          apiVersion: 'g/v1',
          time: first,
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:spec': { '.': {}, 'f:replicas': {} } }
        }
      ]
    })
  })

  test('an update that changes nothing keeps the time; reset fields are not owned', () => {
    const create = {
      live: undefined,
      next: widget({ replicas: 1 }),
      type,
      manager: 'm',
      apiVersion: 'g/v1',
      now: first
    }
    const live = trackUpdate(create)
    const next = { ...widget({ replicas: 1 }), status: { ready: 1 } }
    const again = trackUpdate({ ...create, live, next, now: later, ignored: resetFieldSet([['status']]) })
    expect(again['metadata']).toEqual(live['metadata'])
  })
})

describe('serverSideApply', () => {
  test('reports a conflict in the words of the API server', () => {
    const live = objectOf(applied('one', widget({ replicas: 1 })))
    expect(applied('two', widget({ replicas: 2 }), live)).toEqual({
      ok: false,
      kind: 'conflict',
      message: 'Apply failed with 1 conflict: conflict with "one": .spec.replicas',
      causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.spec.replicas' }]
    })
    expect(objectOf(applied('two', widget({ replicas: 2 }), live, true))['spec']).toEqual({ replicas: 2 })
  })

  test('removes what its manager no longer states', () => {
    const live = objectOf(applied('one', widget({ replicas: 1, image: 'a' })))
    expect(objectOf(applied('one', widget({ image: 'a' }), live))['spec']).toEqual({ image: 'a' })
  })

  test('names the object whose configuration does not fit', () => {
    expect(applied('one', widget({ nosuch: 1 }))).toEqual({
      ok: false,
      kind: 'typed',
      message: 'failed to create typed patch object (/w; g/v1, Kind=W): .spec.nosuch: field not declared in schema'
    })
  })
})
