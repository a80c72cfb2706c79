/** The command line as a process of its own: exit codes, messages without stacks. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { execa } from 'execa'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { ERROR_CODES } from '../../src/lib/errors/index.ts'
import { encodeEvent, encodeHeader } from '../../src/trace/index.ts'
import { ROLLED_BACK, traceOf } from '../check/events.ts'
import { folderOf, MANIFESTS, scenarioText } from '../scenario/folder.ts'

const main = resolve(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts')

interface Ran {
  readonly exitCode: number | undefined
  readonly stdout: string
  readonly stderr: string
}

async function twin(words: readonly string[], cwd?: string): Promise<Ran> {
  const options = { reject: false, ...(cwd === undefined ? {} : { cwd }) }
  const { exitCode, stdout, stderr } = await execa(process.execPath, [main, ...words], options)
  expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m)
  return { exitCode, stdout, stderr }
}

describe('twin', () => {
  test('--help and --version end 0', async () => {
    const help = await twin(['--help'])
    expect(help).toMatchObject({ exitCode: 0 })
    for (const command of [
      'run',
      'up',
      'lint',
      'explain',
      'show',
      'schema',
      'list',
      'doctor',
      'app',
      'tune',
      'drill',
      'bench'
    ]) {
      expect(help.stdout).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'))
    }
    // npm tells its programs the version of the user's project, which is not ours.
    vi.stubEnv('npm_package_version', '9.9.9')
    onTestFinished(() => void vi.unstubAllEnvs())
    expect(await twin(['--version'])).toMatchObject({ exitCode: 0, stdout: '0.1.0' })
  })

  test.each([
    ['an unknown command', ['rnu'], 'Did you mean run?'],
    ['an unknown option', ['run', '--grap', 'x'], 'Did you mean --grep?'],
    ['a number that is none', ['run', '--repeat-each', 'many'], 'expected a whole number of at least 1'],
    ['a world that is not there', ['run', '--world', 'mars'], 'no world is called "mars"; known: embedded'],
    ['a world that is not built', ['run', '--world', 'kind'], 'the world "kind" is not available yet'],
    ['a shard that is none', ['run', '--shard', '9/3'], '--shard 9/3: expected i/n'],
    ['a pattern that is none', ['run', '-g', '('], 'is no regular expression'],
    ['a file that is not there', ['run', 'nowhere.yaml'], 'no file or folder "nowhere.yaml"'],
    ['a reporter that is not there', ['run', '--reporter', 'dots'], 'no reporter is called "dots"'],
    ['an app spec that is none', ['app', '--spec', '{"app":"podinf"}'], '--spec app:'],
    ['a command that is not built', ['tune'], 'twin tune: not available yet'],
    ['a trace that is none', ['show', 'package.json'], 'not a trace of rollout-twin']
  ])('%s ends 2 and says what to do', async (_name, words, message) => {
    const ran = await twin(words, resolve(import.meta.dirname, '..', '..'))
    expect(ran.exitCode).toBe(2)
    expect(ran.stderr).toContain(message)
  })

  test('lint prints every problem with its place and ends 2; valid files end 0', async () => {
    const folder = folderOf({
      'manifests.yaml': `apiVersion: v1\nkind: Namespace\nmetadata: { name: test }\n---\n${MANIFESTS}`,
      'good.yaml': scenarioText(),
      'bad.yaml': scenarioText((raw) => raw.replace('manifests:', 'manifest:'))
    })
    const both = await twin(['lint', '.'], folder)
    expect(both.stderr).toBe('')
    expect(both.exitCode).toBe(2)
    expect(both.stdout).toMatch(/^bad\.yaml:5:3: unknown key "manifest" in spec$/m)
    expect(both.stdout.endsWith('1 valid, 1 invalid')).toBe(true)
    expect(await twin(['lint', 'good.yaml'], folder)).toMatchObject({ exitCode: 0, stdout: '1 valid, 0 invalid' })
  })

  test('a broken scenario is invalid: run ends 2 with the closing line', async () => {
    const folder = folderOf({ 'bad.yaml': 'apiVersion: twin/v1alpha1\nkind: Scenario\n' })
    const ran = await twin(['run', 'bad.yaml'], folder)
    expect(ran.exitCode).toBe(2)
    expect(ran.stdout).toContain('bad.yaml:1:1: metadata: is missing')
    expect(ran.stdout.endsWith('0 passed, 0 failed, 1 invalid')).toBe(true)
  })

  test('list names the cases', async () => {
    const folder = folderOf({
      'manifests.yaml': MANIFESTS,
      'a.yaml': scenarioText((raw) => raw.replace('spec:\n', 'spec:\n  matrix: { rate: [1, 2] }\n'))
    })
    expect(await twin(['list', '.'], folder)).toMatchObject({
      exitCode: 0,
      stdout: 'promote[rate=1]\ta.yaml\tseed 1\npromote[rate=2]\ta.yaml\tseed 1'
    })
  })

  test('show prints a recorded trace as lines', async () => {
    const header = {
      scenario: 's',
      file: 's.yaml',
      world: 'embedded',
      seed: 1,
      speed: '',
      versions: {},
      inputsDigest: ''
    }
    const folder = folderOf({ 'x/trace.ndjson': encodeHeader(header) + traceOf(ROLLED_BACK).map(encodeEvent).join('') })
    const { exitCode, stdout } = await twin(['show', 'x'], folder)
    expect(exitCode).toBe(0)
    expect(stdout.split('\n').at(-1)).toMatch(
      /^t\+160\.0 {2}#9 {3}✗ podinfo\.test +Failed +checks 3 +Canary failed! Scaling down podinfo\.test$/
    )
  })

  test('explain tells what a canary will do, and what a code means', async () => {
    const folder = folderOf({ 'manifests.yaml': MANIFESTS, 'a.yaml': scenarioText() })
    const { stdout } = await twin(['explain', 'a.yaml'], folder)
    expect(stdout).toContain('podinfo.test: a tick every 10 s, rollback on the tick after 3 failed checks in all')
    expect(stdout).toContain('weights 10, 20')
    const code = await twin(['explain', 'TWIN_PORT_IN_USE'])
    expect(code.stdout).toContain(ERROR_CODES.TWIN_PORT_IN_USE.fix)
  })

  test('schema prints what is published', async () => {
    const { stdout } = await twin(['schema'])
    const published = readFileSync(join(main, '..', '..', '..', 'scenarios', 'scenario.schema.json'), 'utf8')
    expect(`${stdout}\n`).toBe(published)
  })

  test('doctor says what is there', async () => {
    const { exitCode, stdout } = await twin(['doctor'])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^ok {7}node/m)
    expect(stdout).toMatch(/^ok {7}loopback/m)
  })
})
