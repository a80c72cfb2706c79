/** Results of cases for tests of the reporters. */
import type { CaseResult, SessionObserver, SessionSummary } from '../../src/run/index.ts'
import { summarize } from '../../src/run/index.ts'

const PLACE = { file: 'scenarios/a.yaml', line: 17, column: 7 }

/** A case that passed. */
export const PASSED: CaseResult = {
  name: 'promote',
  file: 'scenarios/a.yaml',
  world: 'embedded',
  seed: 1,
  repetition: 1,
  outcome: 'passed',
  exitCode: 0,
  verdicts: [],
  stepFailures: [],
  milestones: [
    {
      canary: 'podinfo.test',
      label: 'weight 10',
      text: 'Advance podinfo.test canary weight 10',
      atMs: 30_000,
      tick: 3
    },
    {
      canary: 'podinfo.test',
      label: 'weight 50',
      text: 'Advance podinfo.test canary weight 50',
      atMs: 70_000,
      tick: 7
    },
    {
      canary: 'podinfo.test',
      label: 'Succeeded',
      text: 'Promotion completed! Scaling down podinfo.test',
      atMs: 90_000,
      tick: 9
    }
  ],
  loads: [],
  userRequests: 412,
  figures: { simulatedMs: 92_000, wallMs: 2000, wallMsBy: {}, tlsHandshakes: 3, peakRssBytes: 1 },
  trace: '.twin/promote/trace.ndjson',
  sequenceDigest: 'a'
}

/** A case whose sequence did not hold. */
export const FAILED: CaseResult = {
  ...PASSED,
  name: 'roll-back[rate=5]',
  seed: 7,
  outcome: 'failed',
  exitCode: 1,
  userRequests: 0,
  verdicts: [
    {
      expectation: {
        kind: 'never',
        condition: { phase: ['Succeeded'] },
        place: { ...PLACE, line: 18 },
        text: 'never: { phase: Succeeded }'
      },
      met: false,
      reason: 'it happened at t+90.0',
      divergence: {
        expected: 'never: { phase: Succeeded }',
        actual: { label: 'phase', text: '<x> & "y"', atMs: 90_000, tick: 9, seq: 9 }
      }
    },
    {
      expectation: { kind: 'sequence', items: [], place: PLACE, text: 'sequence: [weight 10, rollback]' },
      met: false,
      reason: 'expected rollback, got weight 50 at t+70.0',
      divergence: {
        expected: 'rollback',
        actual: { label: 'weight 50', text: 'Advance podinfo.test canary weight 50', atMs: 70_000, tick: 7, seq: 7 }
      },
      diff: ['  weight 10', '- rollback', '+ weight 50']
    }
  ]
}

/** A file that could not be read. */
export const INVALID: CaseResult = {
  ...PASSED,
  name: 'scenarios/b.yaml',
  file: 'scenarios/b.yaml',
  outcome: 'invalid',
  exitCode: 2,
  error: { code: 'TWIN_SCENARIO_INVALID', message: 'scenarios/b.yaml:3:1: unknown key "x"\n  did you mean "y"?' },
  figures: { ...PASSED.figures, simulatedMs: 0 }
}

/** A case that does not run in this world. */
export const SKIPPED: CaseResult = {
  ...PASSED,
  name: 'elsewhere',
  outcome: 'skipped',
  skippedBecause: 'needs a cluster'
}

/** Tells an observer of a session with these results. */
export async function tell(observer: SessionObserver, results: readonly CaseResult[]): Promise<SessionSummary> {
  const summary = summarize(results, { wallMs: 4000, interrupted: false })
  observer.onStart?.([])
  for (const result of summary.results) {
    observer.onLine?.('t+030.0  a line')
    observer.onCaseEnd?.(result)
  }
  await observer.onEnd?.(summary)
  return summary
}
