import type { CaseResult } from '../run/index.ts'

/** Where a case first left what was expected, in one sentence; undefined when it did not. */
export function firstDivergence(result: CaseResult): string | undefined {
  const [step] = result.stepFailures
  const broken = result.verdicts
    .filter((verdict) => !verdict.met)
    .toSorted((left, right) => (left.divergence?.actual?.seq ?? Infinity) - (right.divergence?.actual?.seq ?? Infinity))
  const [verdict] = broken
  if (verdict === undefined || (step !== undefined && verdict.divergence?.actual === undefined)) {
    return step === undefined ? undefined : `${step.file}:${step.line}: ${step.step}: ${step.message}`
  }
  const { divergence } = verdict
  if (divergence === undefined) return `${verdict.expectation.text}: ${verdict.reason}`
  const { actual, expected } = divergence
  if (actual === undefined) return `expected ${expected}, but the run ended`
  const tick = actual.tick > 0 ? ` (tick ${actual.tick})` : ''
  return `expected ${expected}, got ${actual.label} at t+${(actual.atMs / 1000).toFixed(1)}${tick}: ${actual.text}`
}

/** The exact command that runs a case again. */
export function replayCommand(result: CaseResult): string {
  const parts = [
    'npx twin run',
    shellWord(result.file),
    '-g',
    shellWord(`${escapePattern(result.name)}$`),
    '--seed',
    String(result.seed)
  ]
  if (result.world !== '' && result.world !== 'embedded') parts.push('--world', result.world)
  return parts.join(' ')
}

function escapePattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
}

function shellWord(text: string): string {
  return /^[\w./=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}
