import { type CaseResult, NOT_RUN, type SessionObserver, type SessionSummary } from '../run/index.ts'
import { firstDivergence, replayCommand } from './divergence.ts'
import { rolloutText, speedText, userRequestText } from './outcome.ts'
import { type Meaning, paint, type TextSink } from './style.ts'

const MARKS: Readonly<Record<CaseResult['outcome'], readonly [string, Meaning]>> = {
  passed: ['✓', 'good'],
  failed: ['✗', 'bad'],
  invalid: ['!', 'bad'],
  skipped: ['-', 'quiet'],
  interrupted: ['×', 'warning']
}

/** Reports to a person: the live line stream of each case, its verdict, and a summary with the closing line. */
export function lineReporter(sink: TextSink): SessionObserver {
  const say = (text: string): void => sink.write(`${text}\n`)
  return {
    onStart: (cases) => {
      say(`${cases.length} ${cases.length === 1 ? 'case' : 'cases'}`)
    },
    onCaseStart: (scenario, repetition) => {
      const again = repetition > 1 ? `  run ${repetition}` : ''
      say(
        `\n${paint(sink, 'strong', scenario.name)}  ${paint(sink, 'quiet', `${scenario.file}  seed ${scenario.seed}${again}`)}`
      )
      if (scenario.description !== undefined) say(paint(sink, 'quiet', scenario.description))
    },
    onLine: (line) => say(line),
    onCaseEnd: (result) => {
      if (result.skippedBecause === NOT_RUN) return
      say(verdictLine(sink, result))
      for (const line of failureLines(result)) say(line)
    },
    onEnd: (summary) => {
      say('')
      for (const line of summaryLines(sink, summary)) say(line)
    }
  }
}

/** One line per case: mark, name, what the rollout did, n, speed. */
function verdictLine(sink: TextSink, result: CaseResult): string {
  const [mark, meaning] = MARKS[result.outcome]
  const head = paint(sink, meaning, `${mark} ${result.outcome.padEnd(11)}`)
  if (result.outcome === 'skipped') return `${head} ${result.name}  ${result.skippedBecause ?? ''}`
  if (result.figures.simulatedMs === 0) return `${head} ${result.name}`
  const requests = userRequestText(result)
  const shown = result.userRequests === 0 ? paint(sink, 'bad', requests) : requests
  return `${head} ${result.name}  ${rolloutText(result)}  ${shown}  ${paint(sink, 'quiet', speedText(result))}`
}

/** Why a case did not pass: first divergence, each broken expectation with its difference, how to replay it. */
function failureLines(result: CaseResult): string[] {
  if (result.outcome === 'passed' || result.outcome === 'skipped') return []
  const lines: string[] = []
  const divergence = firstDivergence(result)
  if (divergence !== undefined) lines.push(`  first divergence: ${divergence}`)
  if (result.error !== undefined) {
    lines.push(`  ${result.error.code}`, ...result.error.message.split('\n').map((line) => `  ${line}`))
  }
  for (const failure of result.stepFailures) {
    lines.push(`  ${failure.file}:${failure.line}:${failure.column}: step ${failure.step}: ${failure.message}`)
  }
  for (const { expectation, met, reason, diff } of result.verdicts) {
    if (met) continue
    const { file, line, column } = expectation.place
    lines.push(`  ${file}:${line}:${column}: ${expectation.text}`, `    ${reason}`)
    for (const change of diff ?? []) lines.push(`    ${change}`)
  }
  if (result.trace !== undefined) lines.push(`  trace: ${result.trace}`, `  replay: ${replayCommand(result)}`)
  return lines
}

function summaryLines(sink: TextSink, summary: SessionSummary): string[] {
  const ran = summary.results.filter((result) => result.skippedBecause !== NOT_RUN)
  const table = summary.results.length > 1 ? ran.map((result) => verdictLine(sink, result)) : []
  const notRun = summary.results.length - ran.length
  const skipped = [
    ...(summary.skipped > notRun ? [`${summary.skipped - notRun} skipped`] : []),
    ...(notRun > 0 ? [`${notRun} not run: ${NOT_RUN}`] : [])
  ]
  const seconds = (summary.wallMs / 1000).toFixed(1)
  const closing = `${summary.passed} passed, ${summary.failed} failed, ${summary.invalid} invalid`
  return [
    ...table,
    ...skipped,
    paint(sink, 'quiet', `${seconds} s`),
    paint(sink, summary.exitCode === 0 ? 'good' : 'bad', closing)
  ]
}
