import { EXPLANATIONS, type ExplanationName } from './explanations.data.ts'
import type { CaseMatrix, Loss } from './matrix.ts'

const FAULTS = ['crash before', 'crash after', 'conflict', 'error', 'time-out applied'] as const
const KINDS = ['read', 'write', 'write status', 'query', 'webhook', 'alert', 'event', 'inner'] as const

interface Sum {
  tried: number
  survived: number
  quirk: number
  lost: number
}

/** What was tried on all cases, and what became of it, as text. */
export function matrixReport(matrices: readonly CaseMatrix[], seconds: { wall: number; cpu: number }): string {
  const sums = sumsOf(matrices)
  const rows = KINDS.map((kind) => [kind, ...FAULTS.map((fault) => cellText(sums.get(`${kind} ${fault}`)))])
  const total = [...sums.values()].reduce((all, sum) => added(all, sum), empty())
  const runs = matrices.reduce((count, matrix) => count + matrix.runs, 0)
  return [
    'effect × fault: tried / survived / explained by a quirk / lost',
    `| effect | ${FAULTS.join(' | ')} |`,
    `|---|${FAULTS.map(() => '---').join('|')}|`,
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
    ...quirkLines(matrices.flatMap(({ losses }) => losses)),
    `${cellText(total)} in ${runs} runs, ${seconds.wall.toFixed(1)} s, ${seconds.cpu.toFixed(1)} CPU seconds`
  ].join('\n')
}

/** Why a case fails: what was not survived and has no explanation, or what a restarted controller does otherwise. */
export function caseFinding({ losses, unlike }: CaseMatrix): string | undefined {
  if (unlike.length > 0) return `without any fault, a restarted controller does otherwise: ${unlike[0] ?? ''}`
  const open = losses.filter(({ verdict }) => verdict.explanation === undefined)
  const [first] = open
  if (first === undefined) return undefined
  const { injection, place, verdict } = first
  return `${open.length} not survived, first: ${injection.fault} at effect ${injection.place} of tick ${injection.segment + 1} (${place.name}): ${verdict.finding ?? ''}`
}

function sumsOf(matrices: readonly CaseMatrix[]): Map<string, Sum> {
  const sums = new Map<string, Sum>()
  const at = (key: string): Sum => {
    const sum = sums.get(key) ?? empty()
    sums.set(key, sum)
    return sum
  }
  for (const { cells, losses } of matrices) {
    for (const { kind, fault, tried, survived } of cells) {
      const sum = at(`${kind} ${fault}`)
      sum.tried += tried
      sum.survived += survived
    }
    for (const { injection, place, verdict } of losses) {
      const sum = at(`${place.kind} ${injection.fault}`)
      if (verdict.explanation === undefined) sum.lost++
      else sum.quirk++
    }
  }
  return sums
}

function quirkLines(losses: readonly Loss[]): string[] {
  const counts = new Map<ExplanationName, number>()
  for (const { verdict } of losses) {
    if (verdict.explanation !== undefined) counts.set(verdict.explanation, (counts.get(verdict.explanation) ?? 0) + 1)
  }
  return [...counts]
    .sort(([, left], [, right]) => right - left)
    .map(([name, count]) => `${count} × ${name}: ${EXPLANATIONS[name].behaviour}`)
}

function empty(): Sum {
  return { tried: 0, survived: 0, quirk: 0, lost: 0 }
}

function added(left: Sum, right: Sum): Sum {
  return {
    tried: left.tried + right.tried,
    survived: left.survived + right.survived,
    quirk: left.quirk + right.quirk,
    lost: left.lost + right.lost
  }
}

function cellText(sum: Sum | undefined): string {
  return sum === undefined ? '–' : `${sum.tried} / ${sum.survived} / ${sum.quirk} / ${sum.lost}`
}
