import type { CaseResult, SessionObserver, SessionSummary } from '../run/index.ts'
import { firstDivergence, replayCommand } from './divergence.ts'
import { rolloutText, speedText, userRequestText } from './outcome.ts'

/** Reports one HTML file that needs nothing else: a row per case, its timeline and what was broken. */
export function htmlReporter(write: (text: string) => void): SessionObserver {
  return { onEnd: (summary) => write(page(summary)) }
}

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#222;background:#fff}
h1{font-size:1.3rem}details{border-top:1px solid #ddd;padding:.4rem 0}summary{cursor:pointer}
.passed{color:#176f2c}.failed,.invalid,.interrupted{color:#b3261e}.skipped{color:#666}
td{padding:0 1rem 0 0;vertical-align:top;white-space:nowrap}td:last-child{white-space:normal}
pre{background:#f6f6f6;padding:.6rem;overflow-x:auto}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}pre{background:#222}.passed{color:#6fcf86}.failed,.invalid,.interrupted{color:#ff8a80}}`

function page(summary: SessionSummary): string {
  const closing = `${summary.passed} passed, ${summary.failed} failed, ${summary.invalid} invalid`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${closing}</title>
<style>${STYLE}</style></head><body>
<h1>${closing} <small>${(summary.wallMs / 1000).toFixed(1)} s</small></h1>
${summary.results.map(caseSection).join('\n')}
</body></html>
`
}

function caseSection(result: CaseResult): string {
  const open = result.outcome === 'passed' || result.outcome === 'skipped' ? '' : ' open'
  const facts = [rolloutText(result), userRequestText(result), speedText(result)].map(escaped).join(' · ')
  const alerts = (result.alerts ?? []).map((alert) => ({
    ...alert,
    label: 'alert',
    // The path of such an address is a secret.
    text: `${alert.text} → ${new URL(alert.url).host}`
  }))
  const timeline = [...result.milestones, ...alerts].toSorted((left, right) => left.atMs - right.atMs)
  const rows = timeline.map(
    ({ atMs, tick, label, text }) =>
      `<tr><td>t+${(atMs / 1000).toFixed(1)}</td><td>#${tick}</td><td>${escaped(label)}</td><td>${escaped(text)}</td></tr>`
  )
  return `<details${open}><summary><b class="${result.outcome}">${result.outcome}</b> ${escaped(result.name)} <small>${facts}</small></summary>
${failureText(result)}<table>${rows.join('')}</table></details>`
}

function failureText(result: CaseResult): string {
  if (result.outcome === 'passed' || result.outcome === 'skipped') return ''
  const lines = [
    firstDivergence(result) ?? '',
    result.error === undefined ? '' : `${result.error.code}: ${result.error.message}`,
    ...result.stepFailures.map((failure) => `${failure.file}:${failure.line}: ${failure.step}: ${failure.message}`),
    ...result.verdicts
      .filter((verdict) => !verdict.met)
      .flatMap((verdict) => [
        verdict.expectation.text,
        `  ${verdict.reason}`,
        ...(verdict.diff ?? []).map((line) => `  ${line}`)
      ]),
    `replay: ${replayCommand(result)}`
  ].filter((line) => line !== '')
  return `<pre>${escaped(lines.join('\n'))}</pre>`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
