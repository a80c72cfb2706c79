import type { SequenceItem } from '../kinds/index.ts'
import { isMilestone, kindNamed, matchesGlob, type Milestone, MINOR_KINDS } from '../trace/index.ts'

/** How far a sequence got over a list of milestones. */
export type SequenceOutcome =
  | { readonly state: 'complete' }
  /** Everything so far fits; `expected` says what may come next. */
  | { readonly state: 'open'; readonly expected: string }
  | { readonly state: 'diverged'; readonly expected: string; readonly actual: Milestone }

/** A place in the sequence: so many of this item seen. */
interface Position {
  readonly item: number
  readonly seen: number
}

/**
 * The milestones that count for a sequence: those of minor kinds only where the sequence names their kind.
 * @param milestones - in order, of one canary
 */
export function relevantMilestones(items: readonly SequenceItem[], milestones: readonly Milestone[]): Milestone[] {
  const named = new Set(items.flatMap((item) => (item.milestone === undefined ? [] : [kindNamed(item.milestone)])))
  const events = items.flatMap((item) => (item.event === undefined ? [] : [item.event]))
  return milestones.filter(
    (milestone) =>
      !MINOR_KINDS.has(milestone.kind) ||
      named.has(milestone.kind) ||
      events.some((pattern) => matchesGlob(milestone.text, pattern))
  )
}

/** Matches the whole list: every milestone must be the next one of the sequence. */
export function matchSequence(items: readonly SequenceItem[], milestones: readonly Milestone[]): SequenceOutcome {
  let positions = withSkips(items, [{ item: 0, seen: 0 }])
  for (const milestone of milestones) {
    const next = positions.flatMap((position) => advance(items, position, milestone))
    if (next.length === 0) return { state: 'diverged', expected: expectedText(items, positions), actual: milestone }
    positions = withSkips(items, next)
  }
  if (positions.some((position) => position.item >= items.length)) return { state: 'complete' }
  return { state: 'open', expected: expectedText(items, positions) }
}

/** Matches in order with anything between; an item's count is the least number of times. */
export function matchOrdered(items: readonly SequenceItem[], milestones: readonly Milestone[]): SequenceOutcome {
  let index = 0
  let seen = 0
  for (const milestone of milestones) {
    const item = items[index]
    if (item === undefined) break
    if (fits(item, milestone)) seen += 1
    if (seen >= item.times.min) {
      index += 1
      seen = 0
    }
  }
  const missing = items[index]
  return missing === undefined ? { state: 'complete' } : { state: 'open', expected: missing.text }
}

/** Whether a milestone is what an item names. */
export function fits(item: SequenceItem, milestone: Milestone): boolean {
  if (item.event !== undefined) return matchesGlob(milestone.text, item.event)
  return item.milestone !== undefined && isMilestone(milestone, item.milestone)
}

function advance(items: readonly SequenceItem[], position: Position, milestone: Milestone): Position[] {
  const item = items[position.item]
  if (item === undefined || position.seen >= item.times.max || !fits(item, milestone)) return []
  return [{ item: position.item, seen: position.seen + 1 }]
}

/** Adds the places reached without a milestone: an item seen often enough may be left. Equal places are merged. */
function withSkips(items: readonly SequenceItem[], start: readonly Position[]): Position[] {
  const all = new Map<string, Position>()
  for (const position of start) {
    let current: Position | undefined = position
    while (current !== undefined) {
      all.set(`${current.item}:${current.seen}`, current)
      const item: SequenceItem | undefined = items[current.item]
      current = item !== undefined && current.seen >= item.times.min ? { item: current.item + 1, seen: 0 } : undefined
    }
  }
  return [...all.values()]
}

function expectedText(items: readonly SequenceItem[], positions: readonly Position[]): string {
  const texts = positions.flatMap((position) => {
    const item = items[position.item]
    if (item === undefined) return ['nothing more']
    return position.seen >= item.times.max
      ? []
      : [position.seen === 0 ? item.text : `${item.text} (${position.seen} seen)`]
  })
  return [...new Set(texts)].join(' or ') || 'nothing more'
}
