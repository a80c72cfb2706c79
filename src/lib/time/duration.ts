import { keptByText } from '../memory/index.ts'
import type { Instant } from './timeline.ts'

/** Units of Go's durations, in nanoseconds. @see Go time.ParseDuration */
export const GO_DURATION_UNITS_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9
}

/**
 * Parses a Go duration (`1m30s`, `500ms`, `1.5h`, `0`).
 * @returns milliseconds, fractions kept; undefined when the text is none
 * @see Go time.ParseDuration
 */
export function parseGoDuration(text: string): number | undefined {
  return parsedGoDuration(text)
}

/** Most texts whose meaning is kept. */
const PARSED_MAX = 500

/** Intervals of rules and flags are read again at every tick. */
const parsedGoDuration = keptByText(PARSED_MAX, readGoDuration)

function readGoDuration(text: string): number | undefined {
  const signed = /^([+-]?)(.*)$/s.exec(text)
  const sign = signed?.[1] === '-' ? -1 : 1
  const rest = signed?.[2] ?? ''
  if (rest === '0') return 0
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(rest)) return undefined
  let totalNs = 0
  for (const part of rest.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    totalNs += Number(part[1]) * (GO_DURATION_UNITS_NS[part[2] ?? ''] ?? 0)
  }
  return (sign * totalNs) / 1e6
}

/**
 * Prints milliseconds as Go prints a duration: `500ms`, `1.515s`, `1m0.5s`, `0s`.
 * @see Go time.Duration.String
 */
export function formatGoDuration(ms: number): string {
  if (ms === 0) return '0s'
  const sign = ms < 0 ? '-' : ''
  const abs = Math.abs(ms)
  if (abs < 1e-3) return `${sign}${Math.round(abs * 1e6)}ns`
  if (abs < 1) return `${sign}${trimNumber(abs * 1e3, 3)}µs`
  if (abs < 1000) return `${sign}${trimNumber(abs, 6)}ms`
  const hours = Math.floor(abs / 3_600_000)
  const minutes = Math.floor((abs % 3_600_000) / 60_000)
  const seconds = trimNumber((abs % 60_000) / 1000, 9)
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}s`
  if (minutes > 0) return `${sign}${minutes}m${seconds}s`
  return `${sign}${seconds}s`
}

/** RFC 3339 in UTC with whole seconds, as Kubernetes writes metav1.Time. */
export function formatTimestamp(instant: Instant): string {
  const second = Math.floor(instant / 1000)
  if (second === lastSecond) return lastText
  const day = Math.floor(second / SECONDS_PER_DAY)
  if (day !== lastDay) {
    lastDate = new Date(day * SECONDS_PER_DAY * 1000).toISOString().replace('00:00:00.000Z', '')
    lastDay = day
  }
  const ofDay = second - day * SECONDS_PER_DAY
  const minutes = Math.floor(ofDay / 60)
  lastText = `${lastDate}${twoDigits(Math.floor(minutes / 60))}:${twoDigits(minutes % 60)}:${twoDigits(ofDay % 60)}Z`
  lastSecond = second
  return lastText
}

const SECONDS_PER_DAY = 86_400

/** What was printed last: in a simulation much happens within one second, and nearly all within a day. */
let lastSecond = Number.NaN
let lastText = ''
let lastDay = Number.NaN
let lastDate = ''

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : String(value)
}

/** An instant as container runtimes write it: RFC 3339 with nine digits. */
export function formatTimestampNano(instant: Instant): string {
  const fraction = String(Math.floor((instant - Math.floor(instant / 1000) * 1000) * 1_000_000)).padStart(9, '0')
  return formatTimestamp(instant).replace('Z', `.${fraction}Z`)
}

/** Reads an RFC 3339 time; undefined when it is none. */
export function parseTimestamp(text: string): Instant | undefined {
  const parsed = Date.parse(text)
  return Number.isNaN(parsed) ? undefined : parsed
}

function trimNumber(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)))
}
