import type { Expectation, ExpectationBody } from '../kinds/index.ts'
import { isMilestone, type TraceEvent } from '../trace/index.ts'
import { boundText, within } from './bound.ts'
import { TraceState } from './state.ts'
import type { Verdict } from './verdict.ts'

type Of<K extends ExpectationBody['kind']> = Extract<Expectation, { kind: K }>

/** Judges `never`, `always`, `until`, `within` and `count`. */
export function judgeState(
  expectation: Of<'never' | 'always' | 'until' | 'within' | 'count'>,
  events: readonly TraceEvent[]
): Verdict {
  switch (expectation.kind) {
    case 'never':
      return judgeNever(expectation, events)
    case 'always':
      return judgeAlways(expectation, events)
    case 'until':
      return judgeUntil(expectation, events)
    case 'within':
      return judgeWithin(expectation, events)
    case 'count':
      return judgeCount(expectation, events)
    default:
      return expectation satisfies never
  }
}

function judgeNever(expectation: Of<'never'>, events: readonly TraceEvent[]): Verdict {
  const state = new TraceState()
  for (const event of events) {
    state.add(event)
    if (state.holds(expectation.condition)) return broken(expectation, event, 'it happened')
  }
  return { expectation, met: true, reason: 'it never happened' }
}

function judgeAlways(expectation: Of<'always'>, events: readonly TraceEvent[]): Verdict {
  const state = new TraceState()
  let told = false
  for (const event of events) {
    state.add(event)
    if (!state.canTell(expectation.condition)) continue
    told = true
    if (!state.holds(expectation.condition)) return broken(expectation, event, 'it did not hold')
  }
  return { expectation, met: told, reason: told ? 'it held throughout' : 'the run never said anything about it' }
}

function judgeUntil(expectation: Of<'until'>, events: readonly TraceEvent[]): Verdict {
  const state = new TraceState()
  for (const event of events) {
    state.add(event)
    if (state.holds(expectation.until)) return { expectation, met: true, reason: `it held until ${clock(event)}` }
    if (state.canTell(expectation.condition) && !state.holds(expectation.condition)) {
      return broken(expectation, event, 'it stopped holding too early')
    }
  }
  return { expectation, met: false, reason: 'what it should hold until never happened' }
}

function judgeWithin(expectation: Of<'within'>, events: readonly TraceEvent[]): Verdict {
  const state = new TraceState()
  let since: { readonly tick: number; readonly atMs: number } | undefined
  for (const event of events) {
    state.add(event)
    const { milestone } = state
    const { canary } = expectation.condition
    const sameCanary = canary === undefined || milestone?.canary === canary
    if (milestone !== undefined && sameCanary && isMilestone(milestone, expectation.since)) {
      since = { tick: milestone.tick, atMs: milestone.atMs }
      continue
    }
    if (since === undefined || !state.holds(expectation.condition)) continue
    const ticks = ('tick' in event ? event.tick : since.tick) - since.tick
    const ms = event.atMs - since.atMs
    const met = ticks <= (expectation.ticks ?? Infinity) && ms <= (expectation.ms ?? Infinity)
    const reason = `it took ${ticks} ticks, ${ms / 1000} s`
    return met ? { expectation, met, reason } : broken(expectation, event, reason)
  }
  const reason = since === undefined ? `"${expectation.since}" never happened` : 'it never happened'
  return { expectation, met: false, reason }
}

function judgeCount(expectation: Of<'count'>, events: readonly TraceEvent[]): Verdict {
  const state = new TraceState()
  let times = 0
  for (const event of events) {
    state.add(event)
    if (state.holds(expectation.condition)) times += 1
  }
  const met = within(expectation.bound, times)
  return { expectation, met, reason: `it happened ${times} times, expected ${boundText(expectation.bound)}` }
}

function broken(expectation: Expectation, event: TraceEvent, reason: string): Verdict {
  const text = 'message' in event ? event.message : JSON.stringify(event)
  return {
    expectation,
    met: false,
    reason: `${reason} at ${clock(event)}`,
    divergence: {
      expected: expectation.text,
      actual: { label: event.kind, text, atMs: event.atMs, tick: 'tick' in event ? event.tick : 0, seq: event.seq }
    }
  }
}

function clock(event: TraceEvent): string {
  return `t+${(event.atMs / 1000).toFixed(1)}`
}
