import { formatQuery, parsePromql, PromqlParseError, type QueryOutcome } from '../../lib/promql/index.ts'
import { queryDataJson } from './format.ts'
import { ParameterError, parseDurationMs, parseTime } from './parameters.ts'
import { ApiError, type Parameters, type PromApiOptions } from './types.ts'

const POINTS_MAX = 11_000

/** A successful answer's `data` and annotations. */
export interface ApiData {
  readonly json: string
  readonly warnings?: readonly string[]
  readonly infos?: readonly string[]
}

/** `/api/v1/query`. */
export function instantQuery(options: PromApiOptions, parameters: Parameters): ApiData {
  const timeMs = timeParameter(parameters, 'time', options.now())
  checkTimeout(parameters)
  const query = parameters.get('query')
  return answer(
    options,
    options.engine.instant(query, timeMs, lookback(options, parameters)),
    'invalid parameter "query": '
  )
}

/** `/api/v1/query_range`. */
export function rangeQuery(options: PromApiOptions, parameters: Parameters): ApiData {
  const startMs = required('start', () => parseTime(parameters.get('start')))
  const endMs = required('end', () => parseTime(parameters.get('end')))
  if (endMs < startMs)
    throw new ApiError('bad_data', 'invalid parameter "end": end timestamp must not be before start time')
  const stepMs = required('step', () => parseDurationMs(parameters.get('step')))
  if (stepMs <= 0) {
    const text = 'zero or negative query resolution step widths are not accepted. Try a positive integer'
    throw new ApiError('bad_data', `invalid parameter "step": ${text}`)
  }
  if (Math.trunc((endMs - startMs) / stepMs) > POINTS_MAX) {
    const text =
      'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)'
    throw new ApiError('bad_data', text)
  }
  checkTimeout(parameters)
  const span = { startMs, endMs, stepMs: Math.max(1, Math.round(stepMs)) }
  return answer(options, options.engine.range(parameters.get('query'), span, lookback(options, parameters)), '')
}

/** `/api/v1/format_query`. */
export function formatQueryData(parameters: Parameters): ApiData {
  try {
    return { json: JSON.stringify(formatQuery(parsePromql(parameters.get('query'), { experimentalFunctions: true }))) }
  } catch (error) {
    if (error instanceof PromqlParseError) throw new ApiError('bad_data', `invalid parameter "query": ${error.message}`)
    throw error
  }
}

/** `/api/v1/query_exemplars`: none are stored. */
export function exemplars(options: PromApiOptions, parameters: Parameters): ApiData {
  timeParameter(parameters, 'start', options.now())
  timeParameter(parameters, 'end', options.now())
  try {
    parsePromql(parameters.get('query'))
  } catch (error) {
    if (error instanceof PromqlParseError) throw new ApiError('bad_data', error.message)
    throw error
  }
  return { json: '[]' }
}

/** A time parameter with a default for absence. @throws ApiError */
export function timeParameter(parameters: Parameters, name: string, fallbackMs: number): number {
  const text = parameters.get(name)
  if (text === '') return fallbackMs
  try {
    return parseTime(text)
  } catch (error) {
    if (!(error instanceof ParameterError)) throw error
    throw new ApiError('bad_data', `invalid parameter "${name}": Invalid time value for '${name}': ${error.message}`)
  }
}

function required(name: string, parse: () => number): number {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof ParameterError)) throw error
    throw new ApiError('bad_data', `invalid parameter "${name}": ${error.message}`)
  }
}

function checkTimeout(parameters: Parameters): void {
  const text = parameters.get('timeout')
  if (text === '') return
  const timeoutMs = required('timeout', () => parseDurationMs(text))
  // No query starts within a microsecond.
  if (timeoutMs < 0.001) throw new ApiError('timeout', 'query timed out in query queue')
}

function lookback(options: PromApiOptions, parameters: Parameters): { lookbackDeltaMs?: number } {
  const text = parameters.get('lookback_delta')
  if (text === '' || !isAtLeast(options, 44)) return {}
  try {
    const lookbackDeltaMs = parseDurationMs(text)
    return lookbackDeltaMs > 0 ? { lookbackDeltaMs } : {}
  } catch (error) {
    if (!(error instanceof ParameterError)) throw error
    throw new ApiError('bad_data', `error parsing lookback delta duration: ${error.message}`)
  }
}

/** Whether the stated server is a 2.x of at least that minor version, or later. */
function isAtLeast(options: PromApiOptions, minor: number): boolean {
  const { version } = options
  if (version === undefined) return minor <= 55
  const parts = /^(\d+)\.(\d+)/.exec(version)
  return Number(parts?.[1] ?? 2) > 2 || Number(parts?.[2] ?? 55) >= minor
}

function answer(options: PromApiOptions, outcome: QueryOutcome, prefix: string): ApiData {
  if (!outcome.ok) {
    throw new ApiError(outcome.errorType, outcome.errorType === 'bad_data' ? prefix + outcome.error : outcome.error)
  }
  const json = queryDataJson(outcome.value)
  // Annotations came with 2.49; until 2.53 both kinds were warnings.
  if (!isAtLeast(options, 49)) return { json }
  if (!isAtLeast(options, 54)) return { json, warnings: [...outcome.warnings, ...outcome.infos] }
  return { json, warnings: outcome.warnings, infos: outcome.infos }
}
