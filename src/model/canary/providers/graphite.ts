import {
  goJsonError,
  goTypeOf,
  joinPaths,
  parseFloat64,
  parseUrl,
  resolveReference,
  urlText
} from '../../../lib/golang/index.ts'
import type { Plan } from '../effects.ts'
import { failureOf, StepFailed } from '../failure.ts'
import { encodedQuery } from '../http.ts'
import { answered, NoValues, type MetricProvider, type ProviderContext } from './provider.ts'

const ONLINE_QUERY = 'target=test'

/**
 * Graphite's render API: the last value of the last target that has any.
 * @throws StepFailed
 * @see fluxcd/flagger pkg/metrics/providers/graphite.go 1.44.0
 */
export function graphiteProvider({ provider, credentials }: ProviderContext): MetricProvider {
  const { type, address = '', secretRef, insecureSkipVerify } = provider
  if (address === '' || !parseUrl(address).ok) throw new StepFailed(`${type} address ${address} is not a valid URL`)
  const headers = secretRef === undefined ? {} : basic(type, credentials)
  const insecure = insecureSkipVerify === true
  function* query(metric: string, text: string): Plan<number> {
    const trimmed = text.replaceAll(/[\t\n\f\r ]+/g, ' ')
    const answer = yield* answered(metric, trimmed, { url: renderUrl(address, trimmed), headers, insecure })
    if (answer.status >= 400) throw new StepFailed(`error response: ${answer.body}`)
    const value = lastValue(answer.body)
    if (value === undefined) throw new NoValues('no values found')
    return value
  }
  return {
    query,
    *requireOnline() {
      const failure = yield* failureOf(query('probe', ONLINE_QUERY))
      if (failure === undefined || failure instanceof NoValues) return
      throw new StepFailed(`running query failed: ${failure.message}`)
    }
  }
}

function basic(type: string, { username, password }: ProviderContext['credentials']): Record<string, string> {
  if (username === undefined) throw new StepFailed(`${type} credentials does not contain a username`)
  if (password === undefined) throw new StepFailed(`${type} credentials does not contain a password`)
  if (username === '' || password === '') return {}
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}` }
}

/** The query is the URL's own; parameters are sorted by name. */
function renderUrl(address: string, query: string): string {
  const [base, reference] = [parseUrl(address), parseUrl(`./render?${query}`)]
  if (!reference.ok) throw new StepFailed(`url.Parse failed: ${reference.error}`)
  if (!base.ok) throw new StepFailed(base.error)
  const parameters = Object.fromEntries(new URLSearchParams(query.split('#')[0]))
  const path = joinPaths(base.url.path, reference.url.path)
  const url = { ...reference.url, query: encodedQuery({ ...parameters, format: 'json' }), path }
  return urlText(resolveReference(base.url, url))
}

function lastValue(body: string): number | undefined {
  const syntax = goJsonError(body)
  if (syntax !== undefined) throw undecodable(syntax, body)
  const targets: unknown = JSON.parse(body)
  if (targets === null) return undefined
  if (!Array.isArray(targets))
    throw undecodable(
      `json: cannot unmarshal ${goTypeOf(targets)} into Go value of type providers.graphiteResponse`,
      body
    )
  let value: number | undefined
  for (const target of targets as readonly { datapoints?: unknown }[]) {
    const points = Array.isArray(target?.datapoints) ? (target.datapoints as unknown[]) : []
    for (const point of points) value = pointValue(point, body) ?? value
  }
  return value
}

/** A point is a pair of value and time, either of which may be null or a text. */
function pointValue(point: unknown, body: string): number | undefined {
  if (!Array.isArray(point))
    throw undecodable(`json: cannot unmarshal ${goTypeOf(point)} into Go value of type []interface {}`, body)
  if (point.length !== 2) throw undecodable(`error unmarshaling data point: ${printedList(point)}`, body)
  const [value] = point as readonly unknown[]
  if (value === null || typeof value === 'number') return value ?? undefined
  if (typeof value !== 'string') throw undecodable(`error unmarshaling value: ${printed(value)}`, body)
  const parsed = parseFloat64(value)
  if (!parsed.ok) throw undecodable(parsed.error, body)
  return parsed.value
}

/** As Go prints values of JSON with `%v`. */
function printed(value: unknown): string {
  if (value === null) return '<nil>'
  return Array.isArray(value) ? printedList(value) : String(value)
}

function printedList(values: readonly unknown[]): string {
  return `[${values.map(printed).join(' ')}]`
}

function undecodable(error: string, body: string): StepFailed {
  return new StepFailed(`error unmarshaling result: ${error}, '${body}'`)
}
