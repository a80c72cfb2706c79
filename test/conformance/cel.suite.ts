import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { compileCel } from '../../src/lib/apimachinery/index.ts'
import type { CaseOutcome, ConformanceSuite } from './suite.ts'

/** A value of the cel.expr.Value message as JSON, field by field. */
interface CelJson {
  readonly null_value?: unknown
  readonly bool_value?: boolean
  readonly int64_value?: string
  readonly uint64_value?: string
  readonly double_value?: string
  readonly string_value?: string
  readonly bytes_value?: string | { bytesHex: string }
  readonly type_value?: string
  readonly list_value?: { values?: CelJson | readonly CelJson[] }
  readonly map_value?: { entries?: MapEntry | readonly MapEntry[] }
  readonly object_value?: unknown
}

interface MapEntry {
  readonly key: CelJson
  readonly value: CelJson
}

interface CelTest {
  readonly name: string
  readonly expr: string
  readonly value?: CelJson
  readonly eval_error?: unknown
  readonly any_eval_errors?: unknown
  readonly unknown?: unknown
  readonly bindings?: readonly { key: string; value: { value?: CelJson } }[]
  readonly container?: string
  readonly check_only?: boolean
  readonly typed_result?: unknown
}

/** Messages of the protocol buffers, which Kubernetes' rules cannot name. */
const PROTOBUF = /cel\.expr\.conformance|google\.protobuf\.|object_value/

function asList<T>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return []
  return Array.isArray(value) ? (value as readonly T[]) : [value as T]
}

function doubleOf(text: string): number {
  if (/^[+-]?inf/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity
  return /^[+-]?nan/i.test(text) ? Number.NaN : Number(text)
}

function bytesOf(value: string | { bytesHex: string }): Uint8Array {
  return new Uint8Array(typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value.bytesHex, 'hex'))
}

/** The value as the evaluator takes it in. */
function valueOf(json: CelJson): unknown {
  if (json.bool_value !== undefined) return json.bool_value
  if (json.int64_value !== undefined) return BigInt(json.int64_value)
  if (json.uint64_value !== undefined) return compileCel(`${json.uint64_value}u`)({})
  if (json.double_value !== undefined) return doubleOf(json.double_value)
  if (json.string_value !== undefined) return json.string_value
  if (json.bytes_value !== undefined) return bytesOf(json.bytes_value)
  if (json.list_value !== undefined) return asList(json.list_value.values).map(valueOf)
  if (json.map_value !== undefined)
    return new Map(asList(json.map_value.entries).map(({ key, value }) => [valueOf(key), valueOf(value)]))
  return null
}

/** One spelling for values of either side, so that they can be compared as text. */
function spell(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'bigint') return `int ${value}`
  if (typeof value === 'number') return `double ${Object.is(value, -0) ? '-0' : value}`
  if (typeof value === 'string' || typeof value === 'boolean') return `${typeof value} ${JSON.stringify(value)}`
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`
  if (Array.isArray(value)) return `[${value.map(spell).join(', ')}]`
  const entries = value instanceof Map ? [...value] : value.constructor === Object ? Object.entries(value) : undefined
  if (entries !== undefined)
    return `{${entries
      .map(([key, item]) => `${spell(key)}: ${spell(item)}`)
      .sort()
      .join(', ')}}`
  return `${value.constructor.name} ${String(value)}`
}

function expectedOf(test: CelTest): string {
  if (test.value === undefined) return spell(true)
  if (test.value.type_value !== undefined) return `Type ${test.value.type_value}`
  return spell(valueOf(test.value))
}

function evaluate(test: CelTest): { value?: string; error?: string } {
  const variables = Object.fromEntries((test.bindings ?? []).map(({ key, value }) => [key, valueOf(value.value ?? {})]))
  try {
    return { value: spell(compileCel(test.expr)(variables)) }
  } catch (error) {
    return { error: (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '' }
  }
}

function runTest(id: string, test: CelTest): CaseOutcome {
  const got = evaluate(test)
  if (test.eval_error !== undefined || test.any_eval_errors !== undefined) {
    // The texts of errors differ between implementations; failing is what counts.
    const passed = got.error !== undefined
    return passed
      ? { id, passed }
      : { id, passed, firstDifference: `${test.expr}\n expected an error, got ${got.value}` }
  }
  const expected = expectedOf(test)
  const passed = got.value === expected
  if (passed) return { id, passed }
  return {
    id,
    passed,
    firstDifference: `${test.expr}\n expected ${expected}, got ${got.value ?? `error: ${got.error}`}`
  }
}

function* runFile(folder: string, file: string): Generator<CaseOutcome> {
  const content = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
    section: { name: string; test: CelTest[] }[]
  }
  for (const section of content.section) {
    for (const test of section.test) {
      const isForeign = PROTOBUF.test(JSON.stringify([test.expr, test.bindings, test.container, test.value]))
      if (isForeign || test.check_only === true || test.unknown !== undefined || test.typed_result !== undefined)
        continue
      yield runTest(`${file}:${section.name}:${test.name}`, test)
    }
  }
}

/** CEL as Kubernetes' validation rules use it; tests on protocol buffer messages are left out. */
export const suite: ConformanceSuite = {
  name: 'cel',
  defaultFolder: 'conformance/cel',
  async *run(folder: string): AsyncIterable<CaseOutcome> {
    const json = existsSync(join(folder, 'json')) ? join(folder, 'json') : folder
    for (const file of readdirSync(json).toSorted()) if (file.endsWith('.json')) yield* runFile(json, file)
  }
}
