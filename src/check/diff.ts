import type { SequenceItem } from '../kinds/index.ts'
import type { Milestone } from '../trace/index.ts'
import { fits } from './sequence.ts'

/** Unchanged lines shown around a difference. */
const CONTEXT = 2
/** Longest lists compared line by line; beyond it only the beginnings are. */
const LENGTH_MAX = 400

/** Stands for unchanged lines that are not shown. */
const ELISION = '…'

type Line = { readonly sign: ' ' | '-' | '+'; readonly text: string }

/**
 * The smallest difference between a sequence and what happened: `-` expected and missing, `+` happened and not expected.
 * Equal milestones in a row are written once with their number.
 */
export function sequenceDiff(items: readonly SequenceItem[], milestones: readonly Milestone[]): string[] {
  const actual = grouped(milestones.slice(0, LENGTH_MAX))
  const expected = items.slice(0, LENGTH_MAX)
  const same = (item: SequenceItem, group: Group): boolean =>
    fits(item, group.milestone) && group.count >= item.times.min && group.count <= item.times.max
  return trimmed(lines(expected, actual, same)).map((line) => `${line.sign} ${line.text}`)
}

interface Group {
  readonly milestone: Milestone
  readonly count: number
}

/** Milestones in a row with the same label as one group. */
function grouped(milestones: readonly Milestone[]): Group[] {
  const groups: { milestone: Milestone; count: number }[] = []
  for (const milestone of milestones) {
    const last = groups.at(-1)
    if (last?.milestone.label === milestone.label) last.count += 1
    else groups.push({ milestone, count: 1 })
  }
  return groups
}

/** Labels in a row as items of a sequence: equal ones once, with their number. */
export function happenedSequence(labels: readonly string[]): string[] {
  const items: { label: string; count: number }[] = []
  for (const label of labels) {
    const last = items.at(-1)
    if (last?.label === label) last.count += 1
    else items.push({ label, count: 1 })
  }
  return items.map(({ label, count }) => (count === 1 ? label : `${label} ×${count}`))
}

function groupText(group: Group): string {
  return group.count === 1 ? group.milestone.label : `${group.milestone.label} ×${group.count}`
}

/** Longest common subsequence, then the lines from the front. */
function lines(
  expected: readonly SequenceItem[],
  actual: readonly Group[],
  same: (item: SequenceItem, group: Group) => boolean
): Line[] {
  const table: number[][] = Array.from({ length: expected.length + 1 }, () =>
    Array.from({ length: actual.length + 1 }, () => 0)
  )
  const at = (row: number, column: number): number => table[row]?.[column] ?? 0
  for (let row = expected.length - 1; row >= 0; row--) {
    for (let column = actual.length - 1; column >= 0; column--) {
      const item = expected[row]
      const group = actual[column]
      const equal = item !== undefined && group !== undefined && same(item, group)
      const value = equal ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1))
      const cells = table[row]
      if (cells !== undefined) cells[column] = value
    }
  }
  const result: Line[] = []
  let row = 0
  let column = 0
  while (row < expected.length || column < actual.length) {
    const item = expected[row]
    const group = actual[column]
    if (item !== undefined && group !== undefined && same(item, group)) {
      result.push({ sign: ' ', text: groupText(group) })
      row += 1
      column += 1
    } else if (item !== undefined && (group === undefined || at(row + 1, column) >= at(row, column + 1))) {
      result.push({ sign: '-', text: item.text })
      row += 1
    } else if (group !== undefined) {
      result.push({ sign: '+', text: groupText(group) })
      column += 1
    }
  }
  return result
}

function trimmed(all: readonly Line[]): Line[] {
  const near = (index: number): boolean =>
    all.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some((line) => line.sign !== ' ')
  const shown: Line[] = []
  for (const [index, line] of all.entries()) {
    if (near(index)) shown.push(line)
    else if (shown.at(-1)?.text !== ELISION) shown.push({ sign: ' ', text: ELISION })
  }
  return shown
}
