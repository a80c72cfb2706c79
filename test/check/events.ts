/** Traces written by hand for tests: one call per event. */
import type { TraceBody, TraceEvent } from '../../src/trace/index.ts'

/** Adds times and positions: one event per ten seconds. */
export function traceOf(bodies: readonly TraceBody[]): TraceEvent[] {
  return bodies.map((body, index) => ({ ...body, atMs: index * 10_000, seq: index }))
}

/** An event of the controller for `podinfo.test`. */
export function said(message: string, tick = 1, type: 'Normal' | 'Warning' = 'Normal'): TraceBody {
  return { kind: 'event', canary: 'podinfo.test', tick, type, message, phase: 'Progressing' }
}

/** A change of phase. */
export function phase(to: string, tick = 1): TraceBody {
  return { kind: 'phase', canary: 'podinfo.test', tick, from: '', to }
}

/** A change of weights. */
export function weight(canaryPercent: number, tick = 1): TraceBody {
  return {
    kind: 'weight',
    canary: 'podinfo.test',
    tick,
    primaryPercent: 100 - canaryPercent,
    canaryPercent,
    mirrored: false
  }
}

/** A rollout that halts three times at 20 % and is rolled back. */
export const ROLLED_BACK: readonly TraceBody[] = [
  said('all the metrics providers are available!'),
  said(
    'podinfo-primary.test not ready: waiting for rollout to finish: 0 of 1 (readyThreshold 100%) updated replicas are available',
    1,
    'Warning'
  ),
  said('Initialization done! podinfo.test', 2),
  said('New revision detected! Scaling up podinfo.test', 3),
  phase('Progressing', 3),
  said('Starting canary analysis for podinfo.test', 4),
  said('Pre-rollout check acceptance-test passed', 4),
  weight(10, 4),
  said('Advance podinfo.test canary weight 10', 4),
  weight(20, 5),
  said('Advance podinfo.test canary weight 20', 5),
  said('Halt podinfo.test advancement success rate 69.17% < 99%', 6, 'Warning'),
  said('Halt podinfo.test advancement success rate 61.39% < 99%', 7, 'Warning'),
  said('Halt podinfo.test advancement request duration 1.2s > 500ms', 8, 'Warning'),
  said('Rolling back podinfo.test failed checks threshold reached 3', 9, 'Warning'),
  weight(0, 9),
  said('Canary failed! Scaling down podinfo.test', 9, 'Warning'),
  phase('Failed', 9)
]
