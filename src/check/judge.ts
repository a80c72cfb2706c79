import type { Expectation, SequenceItem } from '../kinds/index.ts'
import { type Milestone, milestoneOf, type TraceEvent } from '../trace/index.ts'
import { sequenceDiff } from './diff.ts'
import { judgeEnd } from './judge-end.ts'
import { judgeState } from './judge-state.ts'
import { matchOrdered, matchSequence, relevantMilestones, type SequenceOutcome } from './sequence.ts'
import type { RunRecord, Verdict } from './verdict.ts'

/** Judges every expectation of a finished run. */
export function judge(expectations: readonly Expectation[], record: RunRecord): Verdict[] {
  return expectations.map((expectation) => {
    switch (expectation.kind) {
      case 'sequence':
      case 'ordered':
        return judgeSequence(expectation, record.events)
      case 'never':
      case 'always':
      case 'until':
      case 'within':
      case 'count':
        return judgeState(expectation, record.events)
      case 'users':
      case 'final':
      case 'query':
        return judgeEnd(expectation, record)
      default:
        return expectation satisfies never
    }
  })
}

/** How an expectation stands in the middle of a run. */
export type Standing = 'open' | 'decided' | 'broken'

/**
 * Whether more events may still change the verdict. Expectations about the end of the run and such that only silence can
 * meet (`never`, `always`, `count`) are never waited for.
 */
export function standing(expectation: Expectation, events: readonly TraceEvent[]): Standing {
  switch (expectation.kind) {
    case 'sequence':
    case 'ordered': {
      const { state } = follow(expectation, events)
      return state === 'open' ? 'open' : state === 'complete' ? 'decided' : 'broken'
    }
    case 'until':
    case 'within': {
      const verdict = judgeState(expectation, events)
      return verdict.met ? 'decided' : verdict.divergence === undefined ? 'open' : 'broken'
    }
    case 'never':
    case 'always':
      return judgeState(expectation, events).divergence === undefined ? 'decided' : 'broken'
    default:
      return 'decided'
  }
}

type SequenceExpectation = Extract<Expectation, { kind: 'sequence' | 'ordered' }>

/** Milestones of a trace that belong to a canary; without one, of the first canary that has any. */
export function milestonesOf(events: readonly TraceEvent[], canary?: string): Milestone[] {
  const all = events.flatMap((event) => milestoneOf(event) ?? [])
  const wanted = canary ?? all[0]?.canary
  return all.filter((milestone) => milestone.canary === wanted)
}

function follow(expectation: SequenceExpectation, events: readonly TraceEvent[]): SequenceOutcome {
  const milestones = relevant(expectation.items, events, expectation.canary)
  return expectation.kind === 'sequence'
    ? matchSequence(expectation.items, milestones)
    : matchOrdered(expectation.items, milestones)
}

function relevant(
  items: readonly SequenceItem[],
  events: readonly TraceEvent[],
  canary: string | undefined
): Milestone[] {
  return relevantMilestones(items, milestonesOf(events, canary))
}

function judgeSequence(expectation: SequenceExpectation, events: readonly TraceEvent[]): Verdict {
  const outcome = follow(expectation, events)
  const milestones = relevant(expectation.items, events, expectation.canary)
  if (outcome.state === 'complete') {
    return { expectation, met: true, reason: `${milestones.length} milestones in order` }
  }
  const diff = sequenceDiff(expectation.items, milestones)
  const happened = milestones.map((milestone) => milestone.label)
  if (outcome.state === 'open') {
    const reason = `the run ended before ${outcome.expected}`
    return { expectation, met: false, reason, divergence: { expected: outcome.expected }, diff, happened }
  }
  const { label, text, atMs, tick, seq } = outcome.actual
  return {
    expectation,
    met: false,
    reason: `expected ${outcome.expected}, got ${label} at t+${(atMs / 1000).toFixed(1)}`,
    divergence: { expected: outcome.expected, actual: { label, text, atMs, tick, seq } },
    diff,
    happened
  }
}
