import { describe, expect, test } from 'vitest'
import type { Canary, CanaryAnalysis } from '../../../src/kinds/index.ts'
import { resolveQuirks } from '../../../src/model/canary/quirks.ts'
import { deploymentStrategy, analysisIntervalMs, failedChecksThreshold } from '../../../src/model/canary/spec.ts'
import { maxWeight, nextStepWeight } from '../../../src/model/canary/strategies/canary.ts'

function canary(analysis: CanaryAnalysis): Canary {
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name: 'app', namespace: 'test' },
    spec: { targetRef: { kind: 'Deployment', name: 'app' }, service: { port: 80 }, analysis }
  }
}

/** Weights up to the promotion, at most 20 of them. */
function walk(analysis: CanaryAnalysis): number[] {
  const weights: number[] = []
  const quirks = resolveQuirks([])
  for (let weight = 0; weights.length < 20;) {
    const step = nextStepWeight(canary(analysis), weight)
    if (step <= 0 || weight >= maxWeight(canary(analysis), quirks)) break
    weight = Math.min(100, weight + step)
    weights.push(weight)
  }
  return weights
}

describe('nextStepWeight() and maxWeight()', () => {
  test.each([
    [{ stepWeight: 10, maxWeight: 50 }, [10, 20, 30, 40, 50]],
    [{ stepWeight: 20, maxWeight: 50 }, [20, 40, 60]],
    [{ stepWeight: 30, maxWeight: 100 }, [30, 60, 90, 100]],
    [{ stepWeight: 100 }, [100]],
    [{ stepWeights: [1, 2, 10, 80] }, [1, 2, 10, 80]],
    [{ stepWeights: [10, 20, 30, 40, 50, 60], maxWeight: 50 }, [10, 20, 30, 40, 50, 60]],
    [{ stepWeights: [50, 10, 20] }, [50]],
    [{ stepWeight: 0 }, []]
  ] satisfies [CanaryAnalysis, number[]][])('%j walks %j', (analysis, weights) => {
    expect(walk(analysis)).toEqual(weights)
  })
})

describe('analysis settings', () => {
  test('the interval defaults to 60 s and is at least 10 s', () => {
    expect(analysisIntervalMs(canary({}))).toBe(60_000)
    expect(analysisIntervalMs(canary({ interval: '500ms' }))).toBe(10_000)
    expect(analysisIntervalMs(canary({ interval: '1m30s' }))).toBe(90_000)
    expect(analysisIntervalMs(canary({ interval: '5mx' }))).toBe(60_000)
  })

  test('the threshold is at least 1', () => {
    expect(failedChecksThreshold(canary({ threshold: 0 }))).toBe(1)
    expect(failedChecksThreshold(canary({ threshold: 5 }))).toBe(5)
  })

  test('iterations and match choose the strategy', () => {
    expect(deploymentStrategy(canary({ stepWeight: 10, match: [{ headers: {} }] }))).toBe('canary')
    expect(deploymentStrategy(canary({ iterations: 2 }))).toBe('blue-green')
    expect(deploymentStrategy(canary({ iterations: 2, match: [{ headers: {} }] }))).toBe('ab-testing')
  })
})
