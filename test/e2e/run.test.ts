/** Scenarios run by the command line as a user types it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { decodeTrace } from '../../src/trace/index.ts'
import { folderOf } from '../scenario/folder.ts'

const projectRoot = resolve(import.meta.dirname, '..', '..')
const main = join(projectRoot, 'src', 'cli', 'main.ts')

interface Ran {
  readonly exitCode: number | undefined
  readonly stdout: string
  readonly stderr: string
}

async function twin(words: readonly string[]): Promise<Ran> {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [main, ...words], {
    cwd: projectRoot,
    reject: false
  })
  return { exitCode, stdout, stderr }
}

/** Wall milliseconds an empty Node process takes now: about 40 on an idle machine, ten times that on a loaded one. */
async function emptyStartMs(): Promise<number> {
  const began = performance.now()
  await execa(process.execPath, ['-e', '0'])
  return performance.now() - began
}

describe('twin run', () => {
  test('a rollout is promoted over real HTTP, twice with the same sequence', async () => {
    const output = folderOf({})
    const ran = await twin(['run', 'scenarios/gatewayapi/promote.yaml', '--repeat-each', '2', '--output', output])
    expect(ran.stdout).toContain('2 passed, 0 failed, 0 invalid')
    expect(ran.exitCode).toBe(0)
    expect(ran.stdout).toMatch(/✓ passed +gatewayapi-promote {2}weights 10…50, promoted {2}n \d+/)
    expect(readdirSync(output).toSorted()).toEqual(['gatewayapi-promote', 'gatewayapi-promote.2', 'last-run.json'])
  })

  test('a wrong expectation ends 1 and names the first divergence, the difference and the replay', async () => {
    const ran = await twin(['run', 'fixtures/harness/must-fail.yaml', '--output', folderOf({})])
    expect(ran.exitCode).toBe(1)
    expect(ran.stdout).toMatch(
      /^ {2}first divergence: expected weight 20, got halt success-rate at t\+\d+\.\d \(tick \d+\): Halt podinfo\.test advancement success rate /m
    )
    expect(ran.stdout).toMatch(/^ {4}- weight 20$/m)
    expect(ran.stdout).toMatch(/^ {4}\+ rollback$/m)
    expect(ran.stdout).toContain('replay: npx twin run fixtures/harness/must-fail.yaml -g ')
    expect(ran.stdout.endsWith('0 passed, 1 failed, 0 invalid')).toBe(true)
  })

  test.each([
    ['while the world starts', /1 case/],
    ['before the canary is initialised', /primary not ready|providers are available/],
    ['at the new revision', /New revision detected/],
    ['during the analysis', /canary weight 20/],
    ['during the promotion', /Copying podinfo\.test/]
  ])('Ctrl-C %s ends it within two seconds, with code 130 and its trace kept', async (_name, moment) => {
    const output = folderOf({})
    const words = ['run', 'scenarios/gatewayapi/promote.yaml', '--speed', '60', '--output', output]
    const child = execa(process.execPath, [main, ...words], { cwd: projectRoot, reject: false })
    let interruptedAt: number | undefined
    let printed = ''
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString('utf8')
      if (interruptedAt !== undefined || !moment.test(printed)) return
      interruptedAt = performance.now()
      child.kill('SIGINT')
    })
    const ended = await child
    expect(ended.exitCode, printed).toBe(130)
    const tookMs = performance.now() - (interruptedAt ?? 0)
    expect(tookMs).toBeLessThan(2500 + 10 * (await emptyStartMs()))
    const trace = join(output, 'gatewayapi-promote', 'trace.ndjson')
    if (moment.source === '1 case' && !existsSync(trace)) return
    const decoded = decodeTrace(readFileSync(trace, 'utf8'))
    expect(decoded.ok && decoded.events.length).toBeGreaterThan(0)
  })

  test('a killed process leaves what had happened until then', async () => {
    const output = folderOf({})
    const words = ['run', 'scenarios/gatewayapi/promote.yaml', '--speed', '30', '--output', output]
    const child = execa(process.execPath, [main, ...words], { cwd: projectRoot, reject: false })
    let printed = ''
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString('utf8')
      if (printed.includes('canary weight 30')) child.kill('SIGKILL')
    })
    await child
    const text = readFileSync(join(output, 'gatewayapi-promote', 'trace.ndjson'), 'utf8')
    const decoded = decodeTrace(text.slice(0, text.lastIndexOf('\n') + 1))
    expect(decoded.ok && decoded.events.filter((event) => event.kind === 'event').length).toBeGreaterThan(5)
  })
})
