import { expect, test } from 'vitest'
import { folderOf, MANIFESTS, scenarioText } from '../scenario/folder.ts'
import { runFolder } from './run-folder.ts'

const SEQUENCE = /sequence: .*/
const NAMESPACE = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: test }\n---\n'

/** Runs a rollout of 20 % steps up to 30 % from a scenario file that switches quirks off. @returns what was not met */
async function play(world: string, quirksOff: string, weights: readonly number[]): Promise<readonly string[]> {
  const steps = weights.map((weight) => `weight ${weight}`).join(', ')
  const controller = quirksOff === '' ? '' : `  controller: { flags: { quirks-off: '${quirksOff}' } }\n`
  const text = scenarioText((raw) =>
    raw
      .replace(SEQUENCE, `sequence: [Initialized, New revision, ${steps}, promotion, Succeeded]`)
      .replace(/ {4}- never: .*\n/, '')
      .replace(/, faults: \[.*\] }/, ' }')
      .replace('20/s', '1/s')
      .replace('  steps:\n', `${controller}  steps:\n`)
  )
  const manifests = NAMESPACE + MANIFESTS.replace('stepWeight: 10, maxWeight: 20', 'stepWeight: 20, maxWeight: 30')
  const folder = folderOf({ 'manifests.yaml': manifests, 'scenario.yaml': text })
  const result = await runFolder(folder, world)
  return [
    ...(result.error === undefined ? [] : [result.error.message]),
    ...result.verdicts.flatMap((verdict) => (verdict.met ? [] : [verdict.reason ?? 'not met']))
  ]
}

test.each(['virtual', 'embedded'])(
  'quirks-off of a scenario file reaches the controller of the %s world',
  async (world) => {
    expect(await play(world, '', [20, 40])).toEqual([])
    expect(await play(world, 'weight-overshoots-max, events-mix-names', [20, 30])).toEqual([])
  }
)

test('an unknown quirk makes the case invalid, with the known names', async () => {
  const [message = ''] = await play('virtual', 'weight-overshoots', [20, 40])
  expect(message).toMatch(/^unknown quirk "weight-overshoots"; known: weight-overshoots-max, /)
})
