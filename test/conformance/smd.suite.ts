import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import {
  decodeFieldSet,
  encodeFieldSet,
  fieldPathText,
  recordApply,
  recordUpdate,
  stableStringify,
  type FieldSet,
  type ListType,
  type MapType,
  type MergeType,
  type Ownership
} from '../../src/lib/apimachinery/index.ts'
import type { CaseOutcome, ConformanceSuite } from './suite.ts'

interface SmdTypeRef {
  readonly namedType?: string
  readonly scalar?: string
  readonly list?: SmdList
  readonly map?: SmdMap
}

interface SmdList {
  readonly elementType: SmdTypeRef
  readonly elementRelationship?: string
  readonly keys?: readonly string[]
}

interface SmdMap {
  readonly fields?: readonly { name: string; type: SmdTypeRef; default?: unknown }[]
  readonly elementType?: SmdTypeRef
  readonly elementRelationship?: string
}

interface SmdSchema {
  readonly types: readonly (SmdTypeRef & { name: string })[]
}

interface Step {
  readonly op: 'apply' | 'update'
  readonly manager: string
  readonly force?: boolean
  readonly object: unknown
}

interface StepResult {
  readonly object?: unknown
  readonly managers?: readonly { manager: string; operation: string; fieldsV1: unknown }[]
  readonly conflicts?: readonly { manager: string; path: string }[]
  readonly error?: string
}

interface Sequence {
  readonly name: string
  readonly type: string
  readonly steps: readonly Step[]
  readonly results: readonly StepResult[]
}

/** Merge types out of the library's own schema format. */
class SchemaReader {
  readonly #named: Map<string, SmdTypeRef>
  readonly #cache = new Map<SmdTypeRef, MergeType>()

  constructor(schema: SmdSchema) {
    this.#named = new Map(schema.types.map((type) => [type.name, type]))
  }

  type(reference: SmdTypeRef): MergeType {
    const known = this.#cache.get(reference)
    if (known !== undefined) return known
    const converted = this.#convert(reference)
    this.#cache.set(reference, converted)
    return converted
  }

  #resolve(reference: SmdTypeRef): SmdTypeRef {
    return reference.namedType === undefined ? reference : (this.#named.get(reference.namedType) ?? {})
  }

  #convert(reference: SmdTypeRef): MergeType {
    const target = this.#resolve(reference)
    if (target.scalar !== undefined && target.map !== undefined)
      return { kind: 'deduced', atomicMaps: target.map.elementRelationship === 'atomic' }
    if (target.map !== undefined) return this.#map(target.map)
    if (target.list !== undefined) return this.#list(target.list)
    const scalars = { string: 'string', numeric: 'numeric', boolean: 'boolean' } as const
    const scalar = scalars[target.scalar as keyof typeof scalars] ?? 'untyped'
    return { kind: 'scalar', scalar }
  }

  #map(map: SmdMap): MapType {
    const fields = new Map((map.fields ?? []).map((field) => [field.name, field.type]))
    const elementType = map.elementType
    return {
      kind: 'map',
      atomic: map.elementRelationship === 'atomic',
      field: (name) => {
        const type = fields.get(name)
        return type === undefined ? undefined : this.type(type)
      },
      element: () => (elementType === undefined ? undefined : this.type(elementType))
    }
  }

  #list(list: SmdList): ListType {
    const associative = list.elementRelationship === 'associative'
    const keys = list.keys ?? []
    const element = this.#resolve(list.elementType)
    return {
      kind: 'list',
      relationship: associative ? (keys.length > 0 ? 'map' : 'set') : 'atomic',
      keys,
      keyDefault: (key) => element.map?.fields?.find((field) => field.name === key)?.default,
      element: () => this.type(list.elementType)
    }
  }
}

interface State {
  readonly object: unknown
  readonly owners: Ownership
}

function runStep(state: State, step: Step, type: MergeType): { state: State; result: unknown } {
  const manager = `${step.manager}|${step.op}`
  const input = { live: state.object, type, owners: state.owners, manager }
  if (step.op === 'update') {
    const { owners } = recordUpdate(input, step.object)
    const next = { object: step.object, owners }
    return { state: next, result: describe(next) }
  }
  const outcome = recordApply(input, step.object, step.force === true)
  if (outcome.ok) {
    const next = { object: outcome.object, owners: outcome.owners }
    return { state: next, result: describe(next) }
  }
  if ('errors' in outcome) return { state, result: { error: outcome.errors.join('\n') } }
  return {
    state,
    result: {
      conflicts: outcome.conflicts.map(({ manager: owner, path }) => ({ manager: owner, path: fieldPathText(path) }))
    }
  }
}

function describe(state: State): unknown {
  const managers = [...state.owners].map(([identifier, set]: [string, FieldSet]) => {
    const [manager = '', operation = ''] = identifier.split('|')
    return { manager, operation, fieldsV1: encodeFieldSet(set) }
  })
  return { object: state.object, managers: sorted(managers) }
}

function sorted(managers: readonly { manager: string; operation: string; fieldsV1: unknown }[]): unknown[] {
  return managers.toSorted((left, right) =>
    `${left.manager}|${left.operation}` < `${right.manager}|${right.operation}` ? -1 : 1
  )
}

function* runSequences(folder: string): Generator<CaseOutcome> {
  const path = join(folder, 'apply-cases.json')
  if (!existsSync(path)) return
  const schema = parse(readFileSync(join(folder, 'upstream', 'k8s-schema.yaml'), 'utf8'), {
    maxAliasCount: -1
  }) as SmdSchema
  const reader = new SchemaReader(schema)
  for (const sequence of JSON.parse(readFileSync(path, 'utf8')) as Sequence[]) {
    const type = reader.type({ namedType: `io.k8s.api.${sequence.type}` })
    yield runSequence(sequence, type)
  }
}

function runSequence(sequence: Sequence, type: MergeType): CaseOutcome {
  let state: State = { object: {}, owners: new Map() }
  for (const [index, step] of sequence.steps.entries()) {
    const expected = sequence.results[index]
    const wanted =
      expected?.managers === undefined ? expected : { object: expected.object, managers: sorted(expected.managers) }
    const outcome = runStep(state, step, type)
    state = outcome.state
    const got = stableStringify(outcome.result)
    if (got !== stableStringify(wanted)) {
      return {
        id: sequence.name,
        passed: false,
        firstDifference: `step ${index}: expected ${stableStringify(wanted)}\n got ${got}`
      }
    }
  }
  return { id: sequence.name, passed: true }
}

function* runFieldSets(folder: string): Generator<CaseOutcome> {
  const upstream = join(folder, 'upstream')
  if (!existsSync(upstream)) return
  for (const file of readdirSync(upstream).toSorted()) {
    if (!file.endsWith('set.json')) continue
    const text = readFileSync(join(upstream, file), 'utf8').trim()
    const got = JSON.stringify(encodeFieldSet(decodeFieldSet(JSON.parse(text))))
    const passed = got === JSON.stringify(JSON.parse(text))
    yield passed
      ? { id: file, passed }
      : { id: file, passed, firstDifference: `expected ${text.slice(0, 300)}, got ${got.slice(0, 300)}` }
  }
}

/** Server-side apply: sequences of applies and updates, and field sets in their stored encoding. */
export const suite: ConformanceSuite = {
  name: 'smd',
  defaultFolder: 'conformance/smd',
  async *run(folder: string): AsyncIterable<CaseOutcome> {
    yield* runSequences(folder)
    yield* runFieldSets(folder)
  }
}
