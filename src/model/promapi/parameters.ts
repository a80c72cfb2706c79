import { durationSeconds, numberValue } from '../../lib/promql/index.ts'
import { parseTimestamp } from '../../lib/time/index.ts'

/** A parameter that cannot be read; the text is the API's. */
export class ParameterError extends Error {}

/** ms of a time parameter: seconds since the epoch or RFC 3339. @throws ParameterError */
export function parseTime(text: string): number {
  const seconds = /^[+-]?(?:\d|\.\d|inf|nan)/i.test(text) && !/^\d{4}-/.test(text) ? numberValue(text) : undefined
  if (seconds !== undefined && Number.isFinite(seconds)) return Math.round(seconds * 1000)
  const parsed = /^\d{4}-\d{2}-\d{2}T/.test(text) ? parseTimestamp(text) : undefined
  if (parsed === undefined) throw new ParameterError(`cannot parse ${JSON.stringify(text)} to a valid timestamp`)
  return parsed
}

/** ms of a duration parameter: seconds or a Prometheus duration. @throws ParameterError */
export function parseDurationMs(text: string): number {
  const seconds = numberValue(text)
  if (seconds !== undefined) {
    if (Math.abs(seconds) > 9_223_372_036) {
      throw new ParameterError(`cannot parse ${JSON.stringify(text)} to a valid duration. It overflows int64`)
    }
    return seconds * 1000
  }
  const parsed = durationSeconds(text)
  if (parsed === undefined) throw new ParameterError(`cannot parse ${JSON.stringify(text)} to a valid duration`)
  return parsed * 1000
}
