import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { VirtualClock } from '../../../src/lib/time/index.ts'
import { HttpExchange } from '../../../src/world/controller/http-exchange.ts'

test('HttpExchange sends an alert through the proxy of its receiver', async () => {
  const seen: string[] = []
  const proxy = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    response.end('ok')
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const exchange = new HttpExchange({
    timeline: new VirtualClock(0),
    holds: undefined,
    resolve: () => undefined,
    fetchImpl: () => Promise.reject(new Error('not past the proxy'))
  })
  const request = {
    method: 'POST',
    url: 'http://slack.invalid/hook',
    headers: {},
    body: '{}',
    timeoutMs: 5000
  } as const
  const { port } = proxy.address() as AddressInfo
  const alert = { effect: 'alert', receiver: 'slack', proxy: `http://127.0.0.1:${port}`, request } as const
  const outcome = await exchange.perform(alert, undefined)
  expect(outcome).toMatchObject({ ok: true, status: 200, body: 'ok' })
  expect(seen).toEqual(['POST http://slack.invalid/hook'])
  await exchange.close()
  proxy.close()
})
