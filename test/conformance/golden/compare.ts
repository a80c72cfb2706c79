import { deepEqual } from '../../../src/lib/apimachinery/index.ts'
import type { GoldenTrace, TraceRecord, TraceTick } from './case.ts'

/** Longest text of one side of a difference. */
const SIDE_MAX = 1500

/** The first difference between two traces, both sides; undefined when they are equal. */
export function firstDifference(expected: GoldenTrace, actual: GoldenTrace): string | undefined {
  for (let index = 0; index < Math.max(expected.ticks.length, actual.ticks.length); index++) {
    const difference = tickDifference(expected.ticks[index], actual.ticks[index])
    if (difference !== undefined) return difference
  }
  for (const part of ['final', 'apiEvents', 'logs', 'controllerMetrics'] as const) {
    const difference = partDifference(part, expected[part], actual[part])
    if (difference !== undefined) return difference
  }
  return undefined
}

/** JSON with sorted keys. */
export function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, entry: unknown) => {
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return entry
    return Object.fromEntries(Object.entries(entry).sort(([left], [right]) => (left < right ? -1 : 1)))
  })
}

function tickDifference(expected: TraceTick | undefined, actual: TraceTick | undefined): string | undefined {
  const n = expected?.n ?? actual?.n ?? 0
  if (expected === undefined || actual === undefined) {
    const first = (actual ?? expected)?.records[0]
    return difference(
      `tick ${n}`,
      expected === undefined ? 'no such tick' : first,
      actual === undefined ? 'no such tick' : first
    )
  }
  return (
    listDifference(`tick ${n}`, expected.records, actual.records) ??
    partDifference(`tick ${n} after`, expected.after, actual.after) ??
    listDifference(`tick ${n} between`, expected.between ?? [], actual.between ?? [])
  )
}

function listDifference(
  place: string,
  expected: readonly TraceRecord[],
  actual: readonly TraceRecord[]
): string | undefined {
  for (let index = 0; index < Math.max(expected.length, actual.length); index++) {
    const [left, right] = [expected[index], actual[index]]
    if (!isSame(left, right)) return difference(`${place} record ${index}`, left, right)
  }
  return undefined
}

function partDifference(place: string, expected: unknown, actual: unknown): string | undefined {
  return isSame(expected, actual) ? undefined : difference(place, expected, actual)
}

/** Most records are equal, which needs no text to be seen. */
function isSame(expected: unknown, actual: unknown): boolean {
  return deepEqual(expected, actual) || sortedJson(expected ?? null) === sortedJson(actual ?? null)
}

function difference(place: string, expected: unknown, actual: unknown): string {
  const left = sortedJson(expected ?? 'nothing')
  const right = sortedJson(actual ?? 'nothing')
  let same = 0
  while (same < left.length && left[same] === right[same]) same++
  const begin = Math.max(0, same - 80)
  const side = (text: string): string => `${begin > 0 ? '…' : ''}${text.slice(begin, begin + SIDE_MAX)}`
  return `${place}\n  expected: ${side(left)}\n  actual:   ${side(right)}`
}
