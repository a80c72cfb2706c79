import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createReporters, firstDivergence, replayCommand } from '../../src/report/index.ts'
import { NOT_RUN, summarize } from '../../src/run/index.ts'
import { folderOf } from '../scenario/folder.ts'
import { FAILED, INVALID, PASSED, SKIPPED, tell } from './results.ts'

async function report(name: string): Promise<string> {
  let text = ''
  const sink = { write: (more: string) => void (text += more), colours: false }
  await tell(createReporters([name], sink), [PASSED, FAILED, INVALID, SKIPPED])
  return text
}

describe('summarize()', () => {
  const facts = { wallMs: 1, interrupted: false }

  test('counts passed, failed and invalid and takes the exit code that matters most', () => {
    expect(summarize([PASSED], facts)).toMatchObject({ passed: 1, failed: 0, invalid: 0, exitCode: 0 })
    expect(summarize([PASSED, FAILED], facts)).toMatchObject({ passed: 1, failed: 1, exitCode: 1 })
    expect(summarize([PASSED, FAILED, INVALID], facts)).toMatchObject({ invalid: 1, exitCode: 2 })
    expect(summarize([PASSED, { ...FAILED, exitCode: 6, outcome: 'invalid' }], facts).exitCode).toBe(6)
    expect(summarize([PASSED], { ...facts, interrupted: true }).exitCode).toBe(130)
  })

  test('runs of one seed that differ fail with exit code 5; other seeds may differ', () => {
    const again = { ...PASSED, repetition: 2, sequenceDigest: 'b' }
    expect(summarize([PASSED, again], facts)).toMatchObject({
      exitCode: 5,
      passed: 1,
      failed: 1,
      results: [{ outcome: 'passed' }, { outcome: 'failed', error: { code: 'TWIN_NOT_DETERMINISTIC' } }]
    })
    expect(summarize([PASSED, { ...again, seed: 2 }], facts).exitCode).toBe(0)
  })
})

test('firstDivergence() is the earliest in time of all expectations that were broken', () => {
  expect(firstDivergence(FAILED)).toBe(
    'expected rollback, got weight 50 at t+70.0 (tick 7): Advance podinfo.test canary weight 50'
  )
  expect(firstDivergence(PASSED)).toBeUndefined()
})

test('replayCommand() names file, case and seed, fit for a shell', () => {
  expect(replayCommand(FAILED)).toBe(String.raw`npx twin run scenarios/a.yaml -g 'roll-back\[rate=5\]$' --seed 7`)
})

test('line: the live lines, each verdict with its n, failures with their difference, the closing line', async () => {
  const text = await report('line')
  expect(text).toContain('t+030.0  a line\n')
  expect(text).toContain('✓ passed      promote  weights 10…50, promoted  n 412 user requests  92 s in 2.0 s (46×)')
  expect(text).toContain('✗ failed      roll-back[rate=5]  weights 10…50, promoted  n 0 user requests')
  expect(text).toContain('  first divergence: expected rollback, got weight 50 at t+70.0 (tick 7)')
  expect(text).toContain(
    '  scenarios/a.yaml:17:7: sequence: [weight 10, rollback]\n    expected rollback, got weight 50 at t+70.0\n      weight 10\n    - rollback\n    + weight 50\n'
  )
  expect(text).toContain(String.raw`  replay: npx twin run scenarios/a.yaml -g 'roll-back\[rate=5\]$' --seed 7`)
  expect(text).toContain('unknown key "x"')
  expect(text.endsWith('1 passed, 1 failed, 1 invalid\n')).toBe(true)
})

test('line: checks that saw no user are named; what was never begun is only counted', async () => {
  let text = ''
  const sink = { write: (more: string) => void (text += more), colours: false }
  const blind = { ...PASSED, checks: { judged: 5, blind: 3 } }
  const { userRequests: _none, ...unjudged } = PASSED
  const never = { ...SKIPPED, name: 'never', skippedBecause: NOT_RUN }
  await tell(createReporters(['line'], sink), [blind, unjudged, never, never])
  expect(text).toContain('n 412 user requests, none in 3 of 5 checks')
  expect(text).toContain('n 0 user requests, nothing was judged')
  expect(text).toContain('2 not run: the session ended before')
  expect(text).not.toContain('never')
})

test('json: one document with everything', async () => {
  const parsed = JSON.parse(await report('json')) as { results: unknown[] }
  expect(parsed).toMatchObject({ version: 1, passed: 1, failed: 1, invalid: 1, skipped: 1, exitCode: 2 })
  expect(parsed.results[1]).toMatchObject({
    name: 'roll-back[rate=5]',
    userRequests: 0,
    firstDivergence: expect.stringContaining('expected rollback'),
    verdicts: [
      { kind: 'never' },
      { kind: 'sequence', place: { line: 17 }, diff: ['  weight 10', '- rollback', '+ weight 50'] }
    ]
  })
})

test('junit: suites by file, failures and errors apart, markup escaped', async () => {
  const text = await report('junit')
  expect(text).toContain('<testsuites name="twin" tests="4" failures="1" errors="1" skipped="1" time="4.000">')
  expect(text).toContain('<testcase name="promote" classname="scenarios/a.yaml" time="2.000">')
  expect(text).toContain('<failure message="expected rollback, got weight 50')
  expect(text).toContain('<error message="scenarios/b.yaml:3:1: unknown key &quot;x&quot;')
  expect(text).toContain('<skipped message="needs a cluster"/>')
  expect(text).not.toMatch(/"<x> & /)
})

test('github: one annotation per case that did not pass, on its line', async () => {
  const lines = (await report('github')).trim().split('\n')
  expect(lines).toHaveLength(2)
  expect(lines[0]).toMatch(
    /^::error file=scenarios\/a\.yaml,line=18,col=7,title=roll-back\[rate=5\]::expected rollback.*%0Areplay: /
  )
})

test('html: one file that needs nothing else; several reporters write side by side', async () => {
  const folder = folderOf({})
  let text = ''
  const sink = { write: (more: string) => void (text += more), colours: false }
  await tell(createReporters([`html=${folder}/out/report.html`, `junit=${folder}/junit.xml`, 'line'], sink), [
    PASSED,
    FAILED
  ])
  const page = readFileSync(join(folder, 'out', 'report.html'), 'utf8')
  expect(page).toContain('<h1>1 passed, 1 failed, 0 invalid')
  expect(page).not.toMatch(/<(?:script|link|img)|https?:/)
  expect(readFileSync(join(folder, 'junit.xml'), 'utf8')).toContain('<testsuites')
  expect(text).toContain('1 passed, 1 failed, 0 invalid')
})

test('html and json show alerts, html without their secret address', async () => {
  const alert = {
    canary: 'podinfo.test',
    url: 'https://hooks.slack.com/secret',
    text: 'Failed & gone',
    atMs: 60_000,
    tick: 6
  }
  let json = ''
  await tell(createReporters(['json'], { write: (more) => void (json += more), colours: false }), [
    { ...PASSED, alerts: [alert] }
  ])
  expect(JSON.parse(json)).toMatchObject({ results: [{ alerts: [alert] }] })
  const folder = folderOf({})
  await tell(createReporters([`html=${folder}/report.html`], { write: () => {}, colours: false }), [
    { ...PASSED, alerts: [alert] }
  ])
  const page = readFileSync(join(folder, 'report.html'), 'utf8')
  expect(page).toMatch(/weight 10<.*t\+60\.0.*>alert<.*Failed &amp; gone → hooks\.slack\.com<.*weight 50</)
  expect(page).not.toContain('secret')
})

test('an unknown reporter is wrong usage', () => {
  expect(() => createReporters(['dots'], { write: () => {}, colours: false })).toThrow(
    'no reporter is called "dots"; known: line, json'
  )
})
