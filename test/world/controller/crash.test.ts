import { beforeAll, describe, expect, test } from 'vitest'
import { randomStream } from '../../../src/lib/random/index.ts'
import { VirtualClock } from '../../../src/lib/time/index.ts'
import type { Canary, KubeObject } from '../../../src/kinds/index.ts'
import {
  parseFlags,
  resolveSettings,
  startLocalController,
  type Effect,
  type Fault
} from '../../../src/world/controller/index.ts'
import { prometheusAnswer } from '../../conformance/golden/answers.ts'
import { Environment, START } from '../../conformance/golden/environment.ts'
import { image, smallCase } from '../../model/canary/quirk-cases.ts'

/** Rollouts that are disturbed at one effect must come to the same end. */
const GOLDEN = smallCase({})
const RUN_MS = 260_000

interface Outcome {
  readonly phase: string
  readonly image: string
  /** Weights of the canary in the order in which they were stored. */
  readonly weights: readonly number[]
  readonly effects: number
  /** Kinds of the effects, by position. */
  readonly kinds: readonly string[]
}

function rollout(fault: (index: number, effect: Effect) => Fault | undefined): Outcome {
  const clock = new VirtualClock(START)
  const environment = new Environment(GOLDEN, clock)
  const weights: number[] = []
  const kinds: string[] = []
  environment.api.subscribe(({ resource, object }) => {
    if (resource !== 'trafficsplits') return
    const { backends = [] } = object.spec as { backends?: { service: string; weight: number }[] }
    weights.push(Number(backends.find(({ service }) => service.endsWith('-canary'))?.weight))
  })
  startLocalController({
    settings: resolveSettings({ flags: parseFlags(GOLDEN.flags ?? []) }),
    timeline: clock,
    random: randomStream(1, 'crash'),
    api: environment.api,
    http: (_effect, _context, answer) => answer(prometheusAnswer(100)),
    fault: (effect) => {
      kinds.push(effect.effect === 'api' ? `${effect.request.method} ${effect.request.path}` : effect.effect)
      return fault(kinds.length - 1, effect)
    }
  })
  environment.create(GOLDEN.canary, 'test')
  let changed = false
  for (let at = START; at < START + RUN_MS; at += 1000) {
    clock.runUntil(at)
    environment.settle()
    if (!changed && phaseOf(environment) === 'Initialized') {
      changed = true
      const { patch } = image('2.0.0')
      environment.send({
        method: 'PATCH',
        path: '/apis/apps/v1/namespaces/test/deployments/podinfo',
        headers: { 'content-type': 'application/strategic-merge-patch+json' },
        body: patch?.body
      })
    }
    if (phaseOf(environment) === 'Succeeded' && changed) break
  }
  const primary = environment.api.get('apps', 'deployments', 'test', 'podinfo-primary')
  return { phase: phaseOf(environment), image: imageOf(primary), weights, effects: kinds.length, kinds }
}

function phaseOf(environment: Environment): string {
  const canary = environment.api.get('flagger.app', 'canaries', 'test', 'podinfo') as Canary | undefined
  return canary?.status?.phase ?? ''
}

function imageOf(deployment: KubeObject | undefined): string {
  const spec = deployment?.spec as { template: { spec: { containers: { image: string }[] } } } | undefined
  return spec?.template.spec.containers[0]?.image ?? ''
}

describe('a rollout survives', () => {
  let undisturbed: Outcome
  beforeAll(() => {
    undisturbed = rollout(() => undefined)
  })

  function expectSameEnd(outcome: Outcome, where: string): void {
    expect({ phase: outcome.phase, image: outcome.image }, where).toEqual({
      phase: 'Succeeded',
      image: 'podinfo:2.0.0'
    })
    expect(undisturbed.weights, where).toEqual(expect.arrayContaining([...new Set(outcome.weights)]))
  }

  test('nothing going wrong', () => {
    expectSameEnd(undisturbed, 'undisturbed')
    expect([...new Set(undisturbed.weights)]).toEqual([0, 50])
  })

  test.each(['before', 'after'] as const)('a crash %s any API request', (moment) => {
    for (const [index, kind] of undisturbed.kinds.entries()) {
      if (!kind.includes('/')) continue
      expectSameEnd(
        rollout((at) => (at === index ? { fault: 'crash', moment } : undefined)),
        `${moment} ${index} ${kind}`
      )
    }
  })

  test.each([
    ['a conflict', 409, 'Conflict', false],
    ['an error', 500, 'InternalError', false],
    ['a time-out after which it was applied', 504, 'Timeout', true]
  ] as const)('%s on any write', (_name, code, reason, applied) => {
    const body = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: 'drill', reason, code }
    for (const [index, kind] of undisturbed.kinds.entries()) {
      if (!/^(?:POST|PUT|PATCH|DELETE) /.test(kind) || isUnretried(kind, index, undisturbed)) continue
      expectSameEnd(
        rollout((at) => (at === index ? { fault: 'answer', response: { code, body }, applied } : undefined)),
        `${code} ${index} ${kind}`
      )
    }
  })
})

/** The first write of the worker is not repeated: Flagger leaves such a canary unscheduled until its spec changes. */
function isUnretried(kind: string, index: number, { kinds }: Outcome): boolean {
  return kinds.findIndex((other) => /^(?:POST|PUT|PATCH) /.test(other)) === index && kind.endsWith('/status')
}
