import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { TwinError } from '../../src/lib/errors/index.ts'
import { type CaseOptions, type CaseResult, runCase } from '../../src/run/index.ts'
import { formatProblem, loadScenarioFile, type ResolvedScenario } from '../../src/scenario/index.ts'
import { decodeTrace, type TraceBody } from '../../src/trace/index.ts'
import type { World } from '../../src/world/index.ts'
import { phase, said, weight } from '../check/events.ts'
import { folderOf, MANIFESTS, scenarioText } from '../scenario/folder.ts'
import { type Script, scriptedWorlds } from './scripted-world.ts'

const HALT = 'Halt podinfo.test advancement success rate 50.00% < 99%'
const INITIALIZED: readonly (readonly [number, TraceBody])[] = [
  [10_000, phase('Initialized')],
  [10_000, said('Initialization done! podinfo.test')]
]
const ROLL_BACK: readonly (readonly [number, TraceBody])[] = [
  [10_000, said('New revision detected! Scaling up podinfo.test', 2)],
  [20_000, weight(10, 3)],
  [20_000, said('Advance podinfo.test canary weight 10', 3)],
  ...[30_000, 40_000, 50_000].map((ms) => [ms, said(HALT, ms / 10_000 + 1, 'Warning')] as const),
  [60_000, said('Rolling back podinfo.test failed checks threshold reached 3', 7, 'Warning')],
  [60_000, said('Canary failed! Scaling down podinfo.test', 7, 'Warning')]
]
const ROLLOUT: Script = { events: INITIALIZED, onCommand: { 'set image': ROLL_BACK } }

interface Played {
  readonly result: CaseResult
  readonly world: ReturnType<ReturnType<typeof scriptedWorlds>['last']>
  readonly folder: string
}

function scenarioOf(change: (text: string) => string = (text) => text): { scenario: ResolvedScenario; folder: string } {
  const folder = folderOf({ 'manifests.yaml': MANIFESTS, 'scenario.yaml': scenarioText(change) })
  const { cases, problems } = loadScenarioFile(join(folder, 'scenario.yaml'))
  expect(problems.map(formatProblem)).toEqual([])
  const [scenario] = cases
  if (scenario === undefined) throw new Error('no case')
  return { scenario, folder }
}

async function play(
  script: Script,
  change?: (text: string) => string,
  more: Partial<CaseOptions> = {}
): Promise<Played> {
  const { scenario, folder } = scenarioOf(change)
  const worlds = scriptedWorlds(script)
  const result = await runCase(scenario, {
    world: 'scripted',
    createWorld: worlds.create,
    outputFolder: join(folder, 'out'),
    repetition: 1,
    versions: { twin: '0' },
    ...more
  })
  return { result, world: worlds.last(), folder }
}

function steps(text: string): (raw: string) => string {
  return (raw) => raw.replace(/ {2}steps:[^]* {2}expect:/, `  steps:\n${text}\n  expect:`)
}

describe('runCase()', () => {
  test('takes the steps, ends when everything is decided, judges, and leaves a trace', async () => {
    const { result, world } = await play(ROLLOUT)
    expect(result).toMatchObject({ outcome: 'passed', exitCode: 0, name: 'promote', seed: 1, stepFailures: [] })
    expect(world.commands).toEqual(['kubectl -n test set image deployment/podinfo podinfod=stefanprodan/podinfo:3.1.1'])
    expect(world.stopped()).toBe(true)
    // 10 s until Initialized, 60 s of rollout, 2 s to settle.
    expect(result.figures.simulatedMs).toBe(72_000)
    const decoded = decodeTrace(readFileSync(result.trace ?? '', 'utf8'))
    expect(decoded).toMatchObject({ ok: true, header: { scenario: 'promote', world: 'scripted', seed: 1 } })
    const kinds = decoded.ok ? decoded.events.map((event) => event.kind) : []
    expect(kinds).toEqual([
      'run',
      'phase',
      'event',
      'command',
      'event',
      'weight',
      'event',
      'event',
      'event',
      'event',
      'event',
      'event',
      'end'
    ])
  })

  test('two runs of one scenario have the same digest, a run that differs has not', async () => {
    const [first, second] = [await play(ROLLOUT), await play(ROLLOUT)]
    const other = await play({ ...ROLLOUT, events: [...INITIALIZED, [11_000, said('Something else')]] })
    expect(first.result.sequenceDigest).toBe(second.result.sequenceDigest)
    expect(first.result.sequenceDigest).not.toBe(other.result.sequenceDigest)
  })

  test('a broken sequence ends in time, with the first divergence and what came instead', async () => {
    const { result } = await play(ROLLOUT, (raw) => raw.replace('×3, rollback, Failed', '×1, weight 20'))
    expect(result).toMatchObject({ outcome: 'failed', exitCode: 1 })
    expect(result.verdicts[0]).toMatchObject({
      met: false,
      divergence: { expected: 'weight 20', actual: { label: 'halt success-rate', text: HALT } }
    })
    expect(result.milestones.at(-1)?.label).toBe('Failed')
  })

  test('a run that never ends is ended by the budget of simulated time, and says what it waited for', async () => {
    const endless: Script = { events: [...Array(100).keys()].map((tick) => [tick * 1000, said('x', tick)] as const) }
    const { result } = await play(endless, (raw) => raw.replace('spec:\n', 'spec:\n  timeout: 30s\n'))
    expect(result).toMatchObject({ outcome: 'failed', exitCode: 4, error: { code: 'TWIN_TIME_BUDGET' } })
    expect(result.error?.message).toMatch(
      /^not over after 30 simulated seconds \(spec\.timeout\); waiting at \S+:13: wait: \{ phase: Initialized \}$/
    )
    expect(result.verdicts[0]).toMatchObject({ met: false, reason: 'the run ended before Initialized' })
  })

  test('a world that cannot start makes the case invalid', async () => {
    const { scenario, folder } = scenarioOf()
    const startFails = new TwinError('TWIN_PORT_IN_USE', 'port 1 is taken')
    const result = await runCase(scenario, {
      world: 'scripted',
      createWorld: scriptedWorlds({ startFails }).create,
      outputFolder: folder,
      repetition: 1,
      versions: {}
    })
    expect(result).toMatchObject({
      outcome: 'invalid',
      exitCode: 3,
      error: { code: 'TWIN_PORT_IN_USE', message: 'port 1 is taken' }
    })
  })

  test('load that was not delivered makes the case invalid, never passed', async () => {
    const load = [{ load: 'users', intended: 1440, delivered: 900, failed: 0, byVersion: {} }]
    const { result } = await play({ ...ROLLOUT, load })
    expect(result).toMatchObject({ outcome: 'invalid', exitCode: 6, error: { code: 'TWIN_LOAD_NOT_DELIVERED' } })
    const early = await play({ ...ROLLOUT, failsAtMs: [15_000, new TwinError('TWIN_LOAD_NOT_DELIVERED', 'too slow')] })
    expect(early.result).toMatchObject({ outcome: 'invalid', exitCode: 6 })
  })

  test('an interruption ends the world and keeps the trace', async () => {
    const controller = new AbortController()
    const { result, world } = await play(ROLLOUT, undefined, {
      signal: controller.signal,
      onEvent: (event) => {
        if (event.kind === 'weight') controller.abort()
      }
    })
    expect(result).toMatchObject({ outcome: 'interrupted', exitCode: 130 })
    expect(world.stopped()).toBe(true)
    expect(readFileSync(result.trace ?? '', 'utf8')).toMatch(
      /canary weight|"canaryPercent":10[^]*"kind":"end"|"kind":"end"/
    )
  })
})

test('an interruption does not wait for a world that is starting, and the trace says what happened', async () => {
  const { scenario, folder } = scenarioOf()
  const controller = new AbortController()
  const starting = Promise.withResolvers<World>()
  const worlds = scriptedWorlds(ROLLOUT)
  const running = runCase(scenario, {
    world: 'scripted',
    createWorld: () => starting.promise,
    outputFolder: join(folder, 'out'),
    repetition: 1,
    versions: {},
    signal: controller.signal
  })
  controller.abort()
  const result = await running
  expect(result).toMatchObject({ outcome: 'interrupted', exitCode: 130 })
  const trace = decodeTrace(readFileSync(result.trace ?? '', 'utf8'))
  expect(trace.ok && trace.events).toMatchObject([{ kind: 'error', code: 'TWIN_INTERRUPTED' }])
  starting.resolve(await worlds.create({ ...scenario, time: 'stepped' }))
  await vi.waitFor(() => expect(worlds.last().stopped()).toBe(true))
})

describe('steps', () => {
  test('at, after, every and when are taken beside the main list', async () => {
    const { result, world } = await play(
      ROLLOUT,
      steps(`    - wait: { milestone: Initialized }
    - at: { weight: 10 }
      do: [{ run: at weight 10 }, { faults: { "stefanprodan/podinfo:3.1.1": [] } }]
    - after: 5s
      do: [{ run: after 5 seconds }]
    - when: { milestone: halt }
      times: 2
      do: [{ run: when halted }]
    - every: 20s
      until: { milestone: rollback }
      do: [{ run: every 20 seconds }]
    - run: kubectl set image`)
    )
    expect(result.outcome).toBe('passed')
    expect(world.commands.filter((command) => command === 'every 20 seconds')).toHaveLength(3)
    expect(world.commands.filter((command) => command === 'when halted')).toHaveLength(2)
    expect(world.commands.filter((command) => command === 'at weight 10' || command === 'after 5 seconds')).toEqual([
      'after 5 seconds',
      'at weight 10'
    ])
    expect(world.faults['stefanprodan/podinfo:3.1.1']).toMatchObject({ app: 'podinfo', faults: [] })
  })

  test('time passes while a command sleeps and stands still while a step is taken', async () => {
    const { result } = await play(
      { ...ROLLOUT, answers: { slow: { ms: 7000 } } },
      steps(`    - wait: { phase: Initialized }
    - run: slow command
    - wait: 3s
    - note: now
    - run: kubectl set image`)
    )
    expect(result.outcome).toBe('passed')
    const decoded = decodeTrace(readFileSync(result.trace ?? '', 'utf8'))
    const note = decoded.ok ? decoded.events.find((event) => event.kind === 'note') : undefined
    expect(note?.atMs).toBe(20_000)
  })

  test.each([
    ['exit code', '- run: broken', 'exit code 3, expected 0: no such thing'],
    ['output', '- { run: hello, stdout: { contains: bye } }', 'printed no "bye": hello\nhello'],
    ['lines', '- { run: hello, stdout: { lines: { like: hel*, is: 3 } } }', '2 of 2 lines look like "hel*"'],
    ['a wait with its own time-out', '- wait: { phase: Succeeded, timeout: 5s }', 'did not happen within 5 s']
  ])('a step that goes wrong ends the run and is named: %s', async (_name, step, message) => {
    const answers = { broken: { exitCode: 3, stderr: 'no such thing\n' }, hello: { stdout: 'hello\nhello' } }
    const { result } = await play({ ...ROLLOUT, answers }, steps(`    ${step}`))
    expect(result).toMatchObject({ outcome: 'failed', exitCode: 1, stepFailures: [{ line: 12, column: 7, message }] })
  })

  test('a moment that never comes fails the run', async () => {
    const { result } = await play(
      ROLLOUT,
      steps(`    - wait: { phase: Initialized }
    - at: { weight: 55 }
      do: [{ note: never }]
    - run: kubectl set image`)
    )
    expect(result).toMatchObject({ outcome: 'failed', stepFailures: [{ line: 13, message: 'its moment never came' }] })
  })

  test('apply hands objects to the world, delete types kubectl', async () => {
    const { world } = await play(
      ROLLOUT,
      steps(`    - apply: [{ apiVersion: v1, kind: Namespace, metadata: { name: more } }]
    - delete: { of: deployment/podinfo }
    - run: kubectl set image`)
    )
    expect(world.applied.map((object) => object.metadata.name)).toEqual(['more'])
    expect(world.commands[0]).toBe('kubectl -n test delete deployment podinfo')
  })
})
