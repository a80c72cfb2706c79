import { describe, expect, it } from 'vitest'
import { createOutbound, type OutboundCall } from '../../../src/world/outbound/index.ts'

describe('createOutbound()', () => {
  it('answers a chat message itself and reports what was sent', async () => {
    const calls: OutboundCall[] = []
    const outbound = createOutbound({ allowHosts: [], onCall: (call) => calls.push(call) })
    const answer = await outbound.fetch('https://hooks.slack.com/services/T/B/x', {
      method: 'POST',
      body: JSON.stringify({ channel: 'general' })
    })
    expect([answer.status, await answer.text()]).toEqual([200, 'ok'])
    expect(calls).toEqual([
      { url: 'https://hooks.slack.com/services/T/B/x', method: 'POST', payload: { channel: 'general' } }
    ])
  })

  it('lets the rest of the process fetch as ever', async () => {
    const outbound = createOutbound({ allowHosts: [], onCall: () => undefined })
    await outbound.fetch('https://discord.com/api/webhooks/1', { method: 'POST', body: 'plain words' })
    await expect(fetch('http://127.0.0.1:1/')).rejects.toThrow()
  })
})
