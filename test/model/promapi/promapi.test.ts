import { describe, expect, it } from 'vitest'
import { createEngine } from '../../../src/lib/promql/index.ts'
import { Labels, Tsdb } from '../../../src/lib/tsdb/index.ts'
import { createPromApi, type PromApi } from '../../../src/model/promapi/index.ts'

function api(): PromApi {
  const db = new Tsdb()
  db.append(Labels.of({ __name__: 'x', k: 'tiny' }), 1000, 1e-7)
  db.append(Labels.of({ __name__: 'x', k: 'big' }), 1000, 1.5e21)
  db.append(Labels.of({ __name__: 'x', k: 'zero' }), 1000, -0)
  return createPromApi({ engine: createEngine({ db }), now: () => 1500 })
}

function query(text: string, extra: readonly (readonly [string, string])[] = []): string {
  return api().handle({ method: 'GET', path: '/api/v1/query', query: [['query', text], ...extra] }).body
}

describe('createPromApi', () => {
  it('prints floats and times as the server does', () => {
    expect(query('x{k="tiny"}')).toBe(
      '{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"x","k":"tiny"},"value":[1.500,"1e-07"]}]}}'
    )
    expect(query('x{k="big"}')).toContain('"1.5e+21"')
    expect(query('x{k="zero"}', [['time', '2']])).toContain('[2,"-0"]')
    expect(query('1e-7')).toContain('[1.500,"0.0000001"]')
    expect(query('vector(0/0)')).toContain('"NaN"')
  })
  it('errors carry type, text and status', () => {
    const response = api().handle({ method: 'GET', path: '/api/v1/query', query: [['query', 'sum(']] })
    expect(response.status).toBe(400)
    expect(JSON.parse(response.body)).toEqual({
      status: 'error',
      errorType: 'bad_data',
      error: 'invalid parameter "query": 1:5: parse error: unclosed left parenthesis'
    })
  })
  it('a form wins over the query; another method is refused with the allowed ones', () => {
    const form = [['query', '1']] as const
    expect(api().handle({ method: 'POST', path: '/api/v1/query', query: [['query', '2']], form }).body).toContain('"1"')
    expect(api().handle({ method: 'PUT', path: '/api/v1/query', query: [] })).toMatchObject({
      status: 405,
      headers: { allow: 'GET, OPTIONS, POST' }
    })
  })
  it("adds infos where a counter has no counter's name", () => {
    expect(query('rate(x[1m])')).not.toContain('infos')
    const db = new Tsdb()
    for (const time of [0, 1000]) db.append(Labels.of({ __name__: 'x' }), time, time)
    const response = createPromApi({ engine: createEngine({ db }), now: () => 1500 }).handle({
      method: 'GET',
      path: '/api/v1/query',
      query: [['query', 'rate(x[1m])']]
    })
    expect(response.body).toContain('"infos":["PromQL info: metric might not be a counter')
  })
})
