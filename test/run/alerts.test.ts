import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { decodeTrace } from '../../src/trace/index.ts'
import { folderOf, MANIFESTS, scenarioText } from '../scenario/folder.ts'
import { runFolder } from './run-folder.ts'

const ADDRESS = 'https://hooks.slack.com/services/T0/B0/x'
const PROVIDER = `---
apiVersion: flagger.app/v1beta1
kind: AlertProvider
metadata: { name: chat, namespace: test }
spec: { type: slack, channel: releases, address: '${ADDRESS}' }
`

/** A release that ends well, with a receiver of alerts. */
async function play(world: string): Promise<{ readonly alerts: unknown; readonly trace: readonly unknown[] }> {
  const namespace = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: test }\n---\n'
  const alerts = 'alerts: [{ name: chat, severity: info, providerRef: { name: chat } }], maxWeight: 20'
  const text = scenarioText((raw) =>
    raw
      .replace(/sequence: .*/, 'sequence: [Initialized, New revision, weight 10, weight 20, promotion, Succeeded]')
      .replace(/, faults: \[.*\] }/, ' }')
      .replace('20/s', '1/s')
  )
  const folder = folderOf({
    'manifests.yaml': namespace + MANIFESTS.replace('maxWeight: 20', alerts) + PROVIDER,
    'scenario.yaml': text
  })
  const result = await runFolder(folder, world)
  expect(result.outcome).toBe('passed')
  const decoded = decodeTrace(readFileSync(result.trace ?? '', 'utf8'))
  return { alerts: result.alerts, trace: decoded.ok ? decoded.events : [] }
}

test.each(['virtual', 'embedded'])(
  'alerts of the %s world are kept from the outside, in trace and result',
  async (world) => {
    const { alerts, trace } = await play(world)
    const texts = [
      'New Deployment detected, initialization completed.',
      'New revision detected, progressing canary analysis.',
      'Canary analysis completed successfully, promotion finished.'
    ]
    expect(alerts).toEqual(texts.map((text) => expect.objectContaining({ canary: 'podinfo.test', url: ADDRESS, text })))
    for (const kind of ['alert', 'outbound']) {
      expect(trace.filter((event) => (event as { readonly kind: string }).kind === kind)).toEqual(
        texts.map((text) =>
          expect.objectContaining({
            url: ADDRESS,
            payload: expect.objectContaining({ channel: 'releases', attachments: [expect.objectContaining({ text })] })
          })
        )
      )
    }
  }
)
