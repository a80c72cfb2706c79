import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { randomStream } from '../../../src/lib/random/index.ts'
import { VirtualClock } from '../../../src/lib/time/index.ts'
import type { ApiRequest } from '../../../src/kinds/index.ts'
import { FLAGGER_CRDS, GATEWAY_API_CRDS } from '../../../src/kinds/crds/index.ts'
import { createApiServer, type ApiServer } from '../../../src/model/apiserver/index.ts'
import { PLAIN_CRDS } from '../../conformance/golden/kinds.ts'

const FOLDER = join(import.meta.dirname, 'answers')
const NAMESPACE = 't0'

interface Cause {
  readonly field?: string
  readonly message?: string
}

interface Answer {
  readonly code: number
  readonly reason?: string
  readonly message?: string
  readonly causes?: readonly Cause[]
  readonly object?: unknown
}

interface Row {
  readonly before: readonly ApiRequest[]
  readonly request: ApiRequest
  readonly answer: Answer
}

function startServer(): ApiServer {
  const api = createApiServer({
    clock: new VirtualClock(Date.UTC(2026, 0, 1)),
    random: randomStream(1, 'answers'),
    crds: [...FLAGGER_CRDS, ...GATEWAY_API_CRDS, ...PLAIN_CRDS]
  })
  const named = (kind: string, name: string): unknown => ({ apiVersion: 'v1', kind, metadata: { name } })
  api.handle({ method: 'POST', path: '/api/v1/namespaces', body: named('Namespace', NAMESPACE) })
  const accounts = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`
  api.handle({ method: 'POST', path: accounts, body: named('ServiceAccount', 'default') })
  return api
}

/** Version given as `<rv>` is the stored one. */
function send(api: ApiServer, request: ApiRequest): { code: number; body: Record<string, unknown> } {
  let text = JSON.stringify(request.body)
  if (text.includes('"<rv>"')) {
    const stored = api.handle({ method: 'GET', path: request.path }).body as { metadata?: { resourceVersion?: string } }
    text = text.replace('"<rv>"', JSON.stringify(stored.metadata?.resourceVersion))
  }
  const { body: _body, ...rest } = request
  const { code, body } = api.handle({ ...rest, bodyText: text })
  return { code, body: JSON.parse(JSON.stringify(body)) as Record<string, unknown> }
}

const HIDDEN = /\b10\.96\.\d+\.\d+\b|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g

function hidden(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, entry: unknown) =>
      (key === 'nodePort' || key === 'healthCheckNodePort') && typeof entry === 'number' && entry >= 30_000
        ? '<np>'
        : entry
    ).replaceAll(HIDDEN, (text) => (text.startsWith('10.') ? '<ip>' : '<uid>'))
  )
}

/** The server's own order of causes is random where it goes through maps. */
function answerOf(api: ApiServer, row: Row): Answer {
  const { code, body } = send(api, row.request)
  if (code < 300) {
    const { labels, annotations, generation, name } = body['metadata'] as Record<string, unknown>
    const metadata = { labels, annotations, generation, name }
    return hidden({ code, object: { metadata, spec: body['spec'], data: body['data'] } }) as Answer
  }
  const { causes } = (body['details'] ?? {}) as { causes?: readonly Cause[] }
  return hidden({ code, reason: body['reason'], message: body['message'], causes }) as Answer
}

function sorted({ causes, message, ...rest }: Answer): unknown {
  const many = (causes?.length ?? 0) > 1
  const key = (cause: Cause): string => JSON.stringify([cause.field, cause.message])
  return {
    ...rest,
    ...(many || message === undefined ? {} : { message }),
    causes: causes?.toSorted((left, right) => (key(left) < key(right) ? -1 : 1))
  }
}

describe('the server answers as kube-apiserver 1.36.3 was recorded to do:', () => {
  const empty = startServer()
  const state = empty.snapshot()
  for (const file of readdirSync(FOLDER).sort()) {
    const { answers } = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as { answers: readonly Row[] }
    for (const [index, row] of answers.entries()) {
      test(`${file} ${index}: ${row.request.method} ${row.request.path}`, () => {
        empty.restore(state)
        for (const request of row.before) send(empty, request)
        expect(sorted(answerOf(empty, row))).toEqual(sorted(row.answer))
      })
    }
  }
})
