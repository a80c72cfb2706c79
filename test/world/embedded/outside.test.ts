import { afterEach, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/kinds/index.ts'
import type { TraceEvent } from '../../../src/trace/index.ts'
import { createEmbeddedWorld } from '../../../src/world/embedded/index.ts'
import type { World } from '../../../src/world/index.ts'
import { MANIFESTS, rolloutSpec, SET_IMAGE } from './fixture.ts'

const worlds: World[] = []

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.stop()
})

const PROVIDER: KubeObject = {
  apiVersion: 'flagger.app/v1beta1',
  kind: 'AlertProvider',
  metadata: { name: 'chat', namespace: 'test' },
  spec: { type: 'slack', channel: 'general', address: 'https://hooks.slack.com/services/X' }
}

/** The fixture's Canary with more in its analysis. */
function canaryWith(analysis: Readonly<Record<string, unknown>>): KubeObject {
  const canary = MANIFESTS.find((object) => object.kind === 'Canary')
  const spec = canary?.spec as { readonly analysis: object } | undefined
  return {
    ...(canary ?? PROVIDER),
    spec: { ...spec, analysis: { ...spec?.analysis, ...analysis } }
  }
}

describe('calls of the controller', () => {
  it('keeps alerts in the trace, and a webhook whose name is not there halts in the words of the real one', async () => {
    const canary = canaryWith({
      alerts: [{ name: 'chat', severity: 'info', providerRef: { name: 'chat' } }],
      webhooks: [{ name: 'nowhere', type: 'rollout', url: 'http://nowhere.test/', timeout: '5s' }]
    })
    const manifests = [...MANIFESTS.filter((object) => object.kind !== 'Canary'), PROVIDER, canary]
    const world = await createEmbeddedWorld(rolloutSpec([], { manifests, load: [] }))
    worlds.push(world)
    const events: TraceEvent[] = []
    const failed = new Promise<void>((resolve, reject) => {
      world.failed.catch(reject)
      world.onTrace((event) => {
        events.push(event)
        if (event.kind === 'phase' && event.to === 'Initialized') void world.run(SET_IMAGE)
        if (event.kind === 'event' && event.message.startsWith('Canary failed!')) resolve()
      })
    })
    world.start()
    await failed
    const outbound = events.filter((event) => event.kind === 'outbound')
    expect(outbound.map((event) => event.url)).toEqual(outbound.map(() => 'https://hooks.slack.com/services/X'))
    expect(outbound[0]?.payload).toMatchObject({ channel: 'general', attachments: [{ author_name: 'podinfo.test' }] })
    const halts = events.flatMap((event) => (event.kind === 'event' && event.type === 'Warning' ? [event.message] : []))
    expect(halts).toContain(
      'Halt podinfo.test advancement external check nowhere failed POST http://nowhere.test/ giving up after 1 attempt(s): Post "http://nowhere.test/": dial tcp: lookup nowhere.test: no such host'
    )
  })
})
