import { type Expr, parsePromql, PromqlParseError } from '../../lib/promql/index.ts'
import { compareLabels, type Labels, type Matcher } from '../../lib/tsdb/index.ts'
import { labelsJson } from './format.ts'
import { type ApiData, timeParameter } from './query-api.ts'
import { ApiError, type Parameters, type PromApiOptions } from './types.ts'

const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/

/**
 * Matchers of one `match[]` value.
 * @throws PromqlParseError when it is no selector
 */
function parseMatchers(text: string): readonly Matcher[] {
  const expr: Expr = parsePromql(text === '{}' ? '{__name__!=""}' : text)
  if (expr.kind !== 'selector') throw new PromqlParseError(text, 0, 'unexpected expression, expected a metric selector')
  if (text === '{}') throw new ApiError('bad_data', 'match[] must contain at least one non-empty matcher')
  return expr.matchers
}

function selectors(parameters: Parameters, prefix: string): (readonly Matcher[])[] {
  return parameters.all('match[]').map((text) => {
    try {
      return parseMatchers(text)
    } catch (error) {
      if (!(error instanceof PromqlParseError) && !(error instanceof ApiError)) throw error
      throw new ApiError('bad_data', prefix + error.message)
    }
  })
}

function selected(options: PromApiOptions, parameters: Parameters, sets: readonly (readonly Matcher[])[]): Labels[] {
  const startMs = timeParameter(parameters, 'start', -8.64e15)
  const endMs = timeParameter(parameters, 'end', 8.64e15)
  const byKey = new Map<string, Labels>()
  for (const matchers of sets) {
    for (const labels of options.engine.db.labelSets(matchers, startMs, endMs)) byKey.set(labels.key, labels)
  }
  return [...byKey.values()].sort(compareLabels)
}

function limited(parameters: Parameters, items: readonly string[]): ApiData {
  const text = parameters.get('limit')
  if (text !== '' && !/^\d+$/.test(text)) {
    const reason = /^-\d+$/.test(text)
      ? 'limit must be non-negative'
      : `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`
    throw new ApiError('bad_data', `invalid parameter "limit": ${reason}`)
  }
  const limit = Number(text)
  if (limit === 0 || items.length <= limit) return { json: `[${items.join(',')}]` }
  return { json: `[${items.slice(0, limit).join(',')}]`, warnings: ['results truncated due to limit'] }
}

/** `/api/v1/series`. */
export function series(options: PromApiOptions, parameters: Parameters): ApiData {
  if (parameters.all('match[]').length === 0) throw new ApiError('bad_data', 'no match[] parameter provided')
  timeParameter(parameters, 'start', 0)
  timeParameter(parameters, 'end', 0)
  const found = selected(options, parameters, selectors(parameters, 'invalid parameter "match[]": '))
  return limited(parameters, found.map(labelsJson))
}

/** `/api/v1/labels`. */
export function labelNames(options: PromApiOptions, parameters: Parameters): ApiData {
  timeParameter(parameters, 'start', 0)
  timeParameter(parameters, 'end', 0)
  const sets = selectors(parameters, '')
  const names = new Set<string>()
  for (const labels of selected(options, parameters, sets.length === 0 ? [[]] : sets)) {
    for (const name of labels.names) names.add(name)
  }
  return limited(
    parameters,
    [...names].sort().map((name) => JSON.stringify(name))
  )
}

/** `/api/v1/label/<name>/values`. */
export function labelValues(options: PromApiOptions, parameters: Parameters, name: string): ApiData {
  if (!LABEL_NAME.test(name)) throw new ApiError('bad_data', `invalid label name: ${JSON.stringify(name)}`)
  timeParameter(parameters, 'start', 0)
  timeParameter(parameters, 'end', 0)
  const sets = selectors(parameters, '')
  const values = new Set<string>()
  for (const labels of selected(options, parameters, sets.length === 0 ? [[]] : sets)) {
    if (labels.has(name)) values.add(labels.get(name))
  }
  return limited(
    parameters,
    [...values].sort().map((value) => JSON.stringify(value))
  )
}

/** `/federate`: the newest value of each selected series, with external labels. @throws PromqlParseError */
export function federate(options: PromApiOptions, parameters: Parameters): string {
  const now = options.now()
  const sets = parameters.all('match[]').map(parseMatchers)
  const seen = new Set<string>()
  const lines: { readonly labels: Labels; readonly value: number; readonly timeMs: number }[] = []
  for (const matchers of sets) {
    for (const found of options.engine.db.select(matchers)) {
      const index = found.indexAtOrAfter(now + 1) - 1
      const timeMs = found.timeAt(index) ?? -Infinity
      if (index < found.from || timeMs < now - 300_000 || found.isStale(index) || seen.has(found.labels.key)) continue
      seen.add(found.labels.key)
      lines.push({ labels: found.labels, value: found.valueAt(index) ?? Number.NaN, timeMs })
    }
  }
  lines.sort((left, right) => compareLabels(left.labels, right.labels))
  return printFederation(options, lines)
}

function printFederation(
  options: PromApiOptions,
  lines: readonly { readonly labels: Labels; readonly value: number; readonly timeMs: number }[]
): string {
  let text = ''
  let family = ''
  for (const { labels, value, timeMs } of lines) {
    const name = labels.metricName
    if (name !== family) text += `# TYPE ${name} untyped\n`
    family = name
    const own = labels.withoutName()
    const external = Object.entries(options.externalLabels ?? {}).filter(([label]) => !labels.has(label))
    const pairs = [...own.names.map((label, index) => [label, own.values[index] ?? ''] as const), ...external]
    const shown = pairs.map(
      ([label, content]) => `${label}="${content.replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`))}"`
    )
    text += `${name}${shown.length === 0 ? '' : `{${shown.join(',')}}`} ${federatedValue(value)} ${timeMs}\n`
  }
  return text
}

function federatedValue(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  return String(value).replace(/e([+-])(\d)$/, 'e$10$2')
}
