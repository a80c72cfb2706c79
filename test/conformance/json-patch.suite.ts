import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  applyJsonPatch,
  applyMergePatch,
  applyStrategicMergePatch,
  deepEqual,
  isJsonMap,
  stableStringify,
  type PatchOutcome
} from '../../src/lib/apimachinery/index.ts'
import { BUILTIN_DEFINITIONS, builtinSchema } from '../../src/model/apiserver/builtin/index.ts'
import type { CaseOutcome, ConformanceSuite } from './suite.ts'

interface SpecRecord {
  readonly doc: unknown
  readonly patch: unknown
  readonly expected?: unknown
  readonly error?: string
  readonly comment?: string
  readonly disabled?: boolean
}

interface Deviation {
  readonly file: string
  readonly index: number
  readonly kubectl: unknown
}

interface KubectlCase {
  readonly name: string
  readonly target: string
  readonly type: 'strategic' | 'merge' | 'json'
  readonly patch: unknown
  readonly result?: unknown
  readonly error?: string
}

function read(folder: string, file: string): unknown {
  const path = join(folder, file)
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
}

function compare(
  id: string,
  outcome: PatchOutcome,
  expected: { value?: unknown; error?: string; anyValue?: boolean }
): CaseOutcome {
  const got = outcome.ok ? stableStringify(outcome.value) : `error: ${outcome.message}`
  if (expected.error !== undefined) {
    // The RFC suite names no exact text: failing is what counts there.
    const passed = expected.error === '' ? !outcome.ok : !outcome.ok && got === expected.error
    return passed
      ? { id, passed }
      : { id, passed, firstDifference: `expected ${expected.error || 'an error'}, got ${got}` }
  }
  const passed = outcome.ok && (expected.anyValue === true || deepEqual(outcome.value, expected.value))
  return passed
    ? { id, passed }
    : { id, passed, firstDifference: `expected ${stableStringify(expected.value)}, got ${got}` }
}

function* runSpec(folder: string, file: string): Generator<CaseOutcome> {
  const records = read(folder, file) as SpecRecord[] | undefined
  const deviations = ((read(folder, 'kubernetes-deviations.json') ?? []) as Deviation[]).filter(
    (entry) => entry.file === file
  )
  for (const [index, record] of (records ?? []).entries()) {
    if (record.disabled === true || record.patch === undefined) continue
    const expected =
      record.error === undefined ? { value: record.expected, anyValue: record.expected === undefined } : { error: '' }
    yield compare(`${file}:${index} rfc6902`, applyJsonPatch(record.doc, record.patch, 'rfc6902'), expected)
    const deviation = deviations.find((entry) => entry.index === index)
    const wanted = deviation === undefined ? expected : { value: deviation.kubectl }
    yield compare(`${file}:${index} kubernetes`, wrapped(record), wanted)
  }
}

/** The API has no documents that are not objects, so each document is one field of an object, as it was recorded. */
function wrapped(record: SpecRecord): PatchOutcome {
  const pointer = (value: unknown): unknown =>
    typeof value === 'string' && (value === '' || value.startsWith('/')) ? `/doc${value}` : value
  const operations = Array.isArray(record.patch) ? record.patch : []
  const patch = operations.map((operation: unknown) => {
    if (!isJsonMap(operation)) return operation
    const moved: Record<string, unknown> = { ...operation }
    for (const key of ['path', 'from']) if (key in moved) moved[key] = pointer(moved[key])
    return moved
  })
  const outcome = applyJsonPatch({ doc: record.doc }, patch)
  if (!outcome.ok || !isJsonMap(outcome.value)) return outcome
  return { ok: true, value: outcome.value['doc'] }
}

function* runMergePatches(folder: string): Generator<CaseOutcome> {
  const file = 'merge-patch-rfc7386.json'
  const records = (read(folder, file) ?? []) as { original: unknown; patch: unknown; result: unknown }[]
  for (const [index, { original, patch, result }] of records.entries()) {
    yield compare(`${file}:${index}`, { ok: true, value: applyMergePatch(original, patch) }, { value: result })
  }
}

/** What kubectl does with each type of patch, API validation left out (`--local`). */
function kubectlPatch(target: unknown, type: KubectlCase['type'], patch: unknown): PatchOutcome {
  if (type === 'json') return applyJsonPatch(target, patch)
  if (type === 'merge') {
    if (isJsonMap(patch)) return { ok: true, value: applyMergePatch(target, patch) }
    const message = Array.isArray(patch)
      ? 'json: cannot unmarshal array into Go value of type unstructured.detector'
      : 'Invalid JSON Patch'
    return { ok: false, message, kind: 'decode' }
  }
  const kind = isJsonMap(target) ? String(target['kind']) : ''
  const [version = '', group = ''] = (isJsonMap(target) ? String(target['apiVersion']) : '').split('/').toReversed()
  return applyStrategicMergePatch(target, patch, builtinSchema(group, version, kind), BUILTIN_DEFINITIONS)
}

function* runKubectl(folder: string): Generator<CaseOutcome> {
  const pack = read(folder, 'kubectl-patch.json') as
    | { targets: Record<string, unknown>; cases: KubectlCase[] }
    | undefined
  for (const record of pack?.cases ?? []) {
    const outcome = kubectlPatch(pack?.targets[record.target], record.type, record.patch)
    yield compare(
      `kubectl-patch.json:${record.name}`,
      outcome,
      record.error === undefined ? { value: record.result } : { error: record.error }
    )
  }
}

/** JSON Patch, JSON Merge Patch and kubectl patch vectors. */
export const suite: ConformanceSuite = {
  name: 'json-patch',
  defaultFolder: 'conformance/json-patch',
  async *run(folder: string): AsyncIterable<CaseOutcome> {
    yield* runSpec(folder, 'spec_tests.json')
    yield* runSpec(folder, 'tests.json')
    yield* runMergePatches(folder)
    yield* runKubectl(folder)
  }
}
