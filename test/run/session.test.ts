import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { discoverFiles, loadCases, parseShard, runSession, updateSequences } from '../../src/run/index.ts'
import { OrderedOutput } from '../../src/run/ordered-output.ts'
import { loadScenarioFile } from '../../src/scenario/index.ts'
import { FAILED, PASSED } from '../report/results.ts'
import { folderOf, MANIFESTS, scenarioText } from '../scenario/folder.ts'

const named = (name: string): string => scenarioText((raw) => raw.replace('name: promote', `name: ${name}`))

describe('discoverFiles()', () => {
  test('finds scenarios below a folder and leaves manifests out; a named file is taken as it is', () => {
    const folder = folderOf({
      'a/one.yaml': named('one'),
      'a/manifests.yaml': MANIFESTS,
      'two.yml': named('two'),
      'x.txt': 'x'
    })
    expect(discoverFiles([folder])).toEqual([join(folder, 'a/one.yaml'), join(folder, 'two.yml')])
    expect(discoverFiles([join(folder, 'x.txt'), join(folder, 'x.txt')])).toEqual([join(folder, 'x.txt')])
  })

  test('a name that is not there is an error with a suggestion', () => {
    const folder = folderOf({ 'promote.yaml': named('one') })
    expect(() => discoverFiles([join(folder, 'promot.yaml')])).toThrow(
      /no file or folder .* did you mean .*promote\.yaml\?/
    )
  })
})

describe('loadCases()', () => {
  const files = {
    'manifests.yaml': MANIFESTS,
    'a.yaml': named('alpha'),
    'b.yaml': named('beta'),
    'c.yaml': named('gamma')
  }

  test('selects by grep, shard and last failure', () => {
    const folder = folderOf(files)
    const names = (options: Parameters<typeof loadCases>[0]): string[] =>
      loadCases({ files: [folder], outputFolder: folder, ...options }).cases.map((one) => one.name)
    expect(names({})).toEqual(['alpha', 'beta', 'gamma'])
    expect(names({ grep: 'ET|gam' })).toEqual(['beta', 'gamma'])
    expect(names({ shard: '1/2' })).toEqual(['alpha', 'gamma'])
    expect(names({ shard: '2/2' })).toEqual(['beta'])
    expect(names({ lastFailed: true })).toEqual(['alpha', 'beta', 'gamma'])
    writeFileSync(join(folder, 'last-run.json'), '{"failed":["beta"]}')
    expect(names({ lastFailed: true })).toEqual(['beta'])
  })

  test('a selection that fits nothing is wrong usage, unless nothing failed last time', () => {
    const folder = folderOf({ ...files, 'last-run.json': '{"failed":[]}' })
    expect(() => loadCases({ files: [folder], grep: 'omega' })).toThrow('no case fits --grep omega; see twin list')
    expect(loadCases({ files: [folder], outputFolder: folder, lastFailed: true }).cases).toEqual([])
  })

  test('a seed of the command line takes precedence over the file', () => {
    const folder = folderOf(files)
    expect(loadCases({ files: [folder], seed: 99 }).cases.map((one) => one.seed)).toEqual([99, 99, 99])
  })

  test('a broken file is a result, the others are still there', () => {
    const folder = folderOf({ ...files, 'b.yaml': named('beta').replace('images:', 'imges:') })
    const { cases, invalid } = loadCases({ files: [folder] })
    expect(cases.map((one) => one.name)).toEqual(['alpha', 'gamma'])
    expect(invalid).toMatchObject([{ outcome: 'invalid', exitCode: 2, error: { code: 'TWIN_SCENARIO_INVALID' } }])
  })

  test('two scenarios of one name are refused', () => {
    const folder = folderOf({ ...files, 'd.yaml': named('beta') })
    expect(() => loadCases({ files: [folder] })).toThrow(/two scenarios are called "beta"/)
  })
})

test('runSession() closes without running anything when every file is broken', async () => {
  const folder = folderOf({ 'manifests.yaml': MANIFESTS, 'a.yaml': named('a').replace('images:', 'imges:') })
  mkdirSync(join(folder, 'out'))
  const summary = await runSession({ files: [join(folder, 'a.yaml')], outputFolder: join(folder, 'out') }, {})
  expect(summary).toMatchObject({ passed: 0, failed: 0, invalid: 1, exitCode: 2 })
})

test('runSession() skips a scenario that excludes the world, with its reason', async () => {
  const exclude = 'spec:\n  worlds: { exclude: [{ world: embedded, because: needs a cluster }] }\n'
  const folder = folderOf({ 'manifests.yaml': MANIFESTS, 'a.yaml': named('a').replace('spec:\n', exclude) })
  const summary = await runSession({ files: [folder], outputFolder: folder }, {})
  expect(summary).toMatchObject({
    passed: 0,
    skipped: 1,
    exitCode: 0,
    results: [{ skippedBecause: 'needs a cluster' }]
  })
})

test('parseShard() takes i/n with 1 ≤ i ≤ n', () => {
  expect(parseShard('2/5')).toEqual({ index: 2, total: 5 })
  for (const wrong of ['0/5', '6/5', '5', 'a/b', '1/0']) expect(() => parseShard(wrong)).toThrow('--shard')
})

test('OrderedOutput lets the first case that has not ended speak live and the rest wait', () => {
  const said: string[] = []
  const output = new OrderedOutput({
    onLine: (line) => said.push(line),
    onCaseEnd: (result) => said.push(`end ${result.name}`)
  })
  output.line(1, 'b1')
  output.line(0, 'a1')
  output.end(1, { ...PASSED, name: 'b' })
  output.line(0, 'a2')
  expect(said).toEqual(['a1', 'a2'])
  output.end(0, { ...PASSED, name: 'a' })
  output.line(2, 'c1')
  expect(said).toEqual(['a1', 'a2', 'end a', 'b1', 'end b', 'c1'])
})

test('updateSequences() writes what happened into the file and leaves the rest as it is', () => {
  const folder = folderOf({ 'manifests.yaml': MANIFESTS, 'a.yaml': named('a') })
  const file = join(folder, 'a.yaml')
  const expectation = loadScenarioFile(file).cases[0]?.expect[0]
  if (expectation === undefined) throw new Error('no expectation')
  const happened = ['Initialized', 'weight 10', 'halt success-rate', 'halt success-rate']
  const verdict = { expectation, met: false, reason: '', happened }
  expect(updateSequences([{ ...FAILED, name: 'a', file, verdicts: [verdict] }])).toEqual([
    expect.stringContaining('sequence updated')
  ])
  const { cases, problems } = loadScenarioFile(file)
  expect(problems).toEqual([])
  expect(cases[0]?.expect.map((one) => one.text)).toEqual([
    'sequence: [Initialized, weight 10, halt success-rate ×2]',
    'never: { weight: { above: 20 } }'
  ])
})
