import { isJsonMap } from '../../lib/apimachinery/index.ts'
import type { KubeObject } from '../../kinds/index.ts'

/** One column of a table. */
export interface TableColumn {
  readonly name: string
  /** string (default), integer, number, boolean or date. */
  readonly type?: string
  readonly format?: string
  /** Columns above 0 show with `-o wide` only. */
  readonly priority?: number
  /** Own text, or definition and field whose documentation it is. */
  readonly description?: string | readonly [definition: string, field: string]
  /** Value of the column for an object at a time. */
  cell(object: KubeObject, now: number): unknown
}

/** A JSON object with members not known yet; empty for anything else. */
export function fieldsOf(value: unknown): Record<string, unknown> {
  return isJsonMap(value) ? value : {}
}

/** A list of JSON objects; empty for anything else. */
export function recordsOf(value: unknown): readonly Record<string, unknown>[] {
  return Array.isArray(value) ? value.map(fieldsOf) : []
}

/** A text; empty for anything else. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** A number; 0 for anything else. */
export function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const YEAR = 365 * DAY

/**
 * A duration as kubectl shows ages: `5s`, `2m10s`, `3h5m`, `2d4h`, `1y20d` (apimachinery `duration.HumanDuration`).
 * @param durationMs - milliseconds
 */
export function humanDuration(durationMs: number): string {
  const seconds = Math.floor(durationMs / SECOND)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.floor(durationMs / MINUTE)
  if (minutes < 10) return pair(minutes, 'm', seconds % 60, 's')
  if (minutes < 180) return `${minutes}m`
  const hours = Math.floor(durationMs / HOUR)
  if (hours < 8) return pair(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  if (hours < 192) return pair(Math.floor(hours / 24), 'd', hours % 24, 'h')
  const days = Math.floor(durationMs / DAY)
  if (days < 730) return `${days}d`
  return days < 2920 ? pair(Math.floor(durationMs / YEAR), 'y', days % 365, 'd') : `${Math.floor(durationMs / YEAR)}y`
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`
}

/**
 * Age of a moment, `<unknown>` when there is none.
 * @param time - RFC 3339
 * @param now - milliseconds
 */
export function ageOf(time: unknown, now: number): string {
  const instant = typeof time === 'string' ? Date.parse(time) : Number.NaN
  return Number.isNaN(instant) ? '<unknown>' : humanDuration(now - instant)
}

/**
 * Labels as a selector prints them: `a=b,c=d` in key order; `<none>` when there are none.
 * @param labels - map of labels
 */
export function labelsText(labels: unknown): string {
  const entries = Object.entries(fieldsOf(labels)).sort(([left], [right]) => (left < right ? -1 : 1))
  return entries.length === 0 ? '<none>' : entries.map(([key, value]) => `${key}=${String(value)}`).join(',')
}

/**
 * A meta/v1 LabelSelector as text (`metav1.FormatLabelSelector`).
 * @param selector - LabelSelector
 */
export function selectorText(selector: unknown): string {
  const { matchLabels, matchExpressions } = fieldsOf(selector)
  const parts = Object.entries(fieldsOf(matchLabels)).map(([key, value]) => ({ key, text: `${key}=${String(value)}` }))
  for (const expression of recordsOf(matchExpressions)) parts.push(expressionText(expression))
  parts.sort((left, right) => (left.key < right.key ? -1 : 1))
  return parts.length === 0 ? '<none>' : parts.map((part) => part.text).join(',')
}

function expressionText(expression: Record<string, unknown>): { key: string; text: string } {
  const key = textOf(expression['key'])
  const values = Array.isArray(expression['values']) ? expression['values'].map(String).sort().join(',') : ''
  switch (expression['operator']) {
    case 'In':
      return { key, text: `${key} in (${values})` }
    case 'NotIn':
      return { key, text: `${key} notin (${values})` }
    case 'Exists':
      return { key, text: key }
    default:
      return { key, text: `!${key}` }
  }
}
