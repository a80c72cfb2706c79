import type { CaseResult, SessionObserver, SessionSummary } from '../run/index.ts'
import { firstDivergence, replayCommand } from './divergence.ts'

/** Reports JUnit XML at the end: one suite per scenario file, one test case per case. */
export function junitReporter(write: (text: string) => void): SessionObserver {
  return { onEnd: (summary) => write(junitXml(summary)) }
}

function junitXml(summary: SessionSummary): string {
  const files = [...new Set(summary.results.map((result) => result.file))]
  const suites = files.map((file) =>
    suiteXml(
      file,
      summary.results.filter((result) => result.file === file)
    )
  )
  const attributes = `name="twin" tests="${summary.results.length}" failures="${summary.failed}" errors="${summary.invalid}" skipped="${summary.skipped}" time="${seconds(summary.wallMs)}"`
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ${attributes}>\n${suites.join('\n')}\n</testsuites>\n`
}

function suiteXml(file: string, results: readonly CaseResult[]): string {
  const count = (outcomes: readonly string[]): number =>
    results.filter((result) => outcomes.includes(result.outcome)).length
  const time = seconds(results.reduce((sum, result) => sum + result.figures.wallMs, 0))
  const attributes = `name="${escaped(file)}" tests="${results.length}" failures="${count(['failed', 'interrupted'])}" errors="${count(['invalid'])}" skipped="${count(['skipped'])}" time="${time}"`
  return `  <testsuite ${attributes}>\n${results.map(caseXml).join('\n')}\n  </testsuite>`
}

function caseXml(result: CaseResult): string {
  const name = result.repetition > 1 ? `${result.name} (run ${result.repetition})` : result.name
  const open = `    <testcase name="${escaped(name)}" classname="${escaped(result.file)}" time="${seconds(result.figures.wallMs)}"`
  const properties = `<properties><property name="seed" value="${result.seed}"/><property name="userRequests" value="${result.userRequests ?? ''}"/></properties>`
  return `${open}>\n      ${properties}${outcomeXml(result)}\n    </testcase>`
}

function outcomeXml(result: CaseResult): string {
  if (result.outcome === 'passed') return ''
  if (result.outcome === 'skipped') return `\n      <skipped message="${escaped(result.skippedBecause ?? '')}"/>`
  const message = firstDivergence(result) ?? result.error?.message ?? result.outcome
  const broken = result.verdicts.filter((verdict) => !verdict.met)
  const body = [
    ...(result.error === undefined ? [] : [`${result.error.code}: ${result.error.message}`]),
    ...result.stepFailures.map((failure) => `${failure.file}:${failure.line}: ${failure.step}: ${failure.message}`),
    ...broken.flatMap((verdict) => [verdict.expectation.text, verdict.reason, ...(verdict.diff ?? [])]),
    `replay: ${replayCommand(result)}`
  ].join('\n')
  const element = result.outcome === 'invalid' ? 'error' : 'failure'
  return `\n      <${element} message="${escaped(message)}">${escaped(body)}</${element}>`
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3)
}

/** Text for XML 1.0: markup escaped, characters it does not allow left out. */
function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '')
}
