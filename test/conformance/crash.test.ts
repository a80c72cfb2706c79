import { describe, expect, test } from 'vitest'
import { smallCase } from '../model/canary/quirk-cases.ts'
import { crashMatrix } from './crash/matrix.ts'
import { caseFinding } from './crash/report.ts'

describe('crashMatrix', () => {
  test('tries every effect with every fault and explains what is not survived', () => {
    const matrix = crashMatrix(smallCase({}))
    expect(caseFinding(matrix)).toBeUndefined()
    expect(new Set(matrix.cells.map(({ fault }) => fault)).size).toBe(5)
    expect(new Set(matrix.losses.map(({ verdict }) => verdict.explanation))).toEqual(
      new Set(['worker-never-repeats', 'event-lost'])
    )
  })

  test('finds the rollback that a death before Failed turns into an analysis without pods', () => {
    const held = { setPods: [{ image: '2.0.0', ready: 'hold' as const }] }
    const matrix = crashMatrix(
      smallCase({
        spec: { progressDeadlineSeconds: 15 },
        script: [
          {
            after: { event: 'Initialization done!' },
            do: [
              held,
              {
                patch: {
                  apiVersion: 'apps/v1',
                  kind: 'Deployment',
                  name: 'podinfo',
                  type: 'strategic',
                  body: { spec: { template: { spec: { containers: [{ name: 'podinfod', image: 'podinfo:2.0.0' }] } } } }
                }
              }
            ]
          }
        ]
      })
    )
    expect(caseFinding(matrix)).toBeUndefined()
    expect(matrix.losses.map(({ verdict }) => verdict.explanation)).toContain('zero-replicas-are-ready')
  })

  test('a loss without explanation makes the case fail', () => {
    const matrix = crashMatrix(smallCase({ maxTicks: 4 }))
    const [loss] = matrix.losses
    if (loss === undefined) throw new Error('there is always one: the first write of the worker')
    const unexplained = { ...loss, verdict: { survived: false, finding: 'end: other' } }
    expect(caseFinding({ ...matrix, losses: [unexplained] })).toContain('1 not survived')
  })
})
