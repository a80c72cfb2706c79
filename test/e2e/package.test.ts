/** The package as users get it: packed, installed elsewhere, run by npx. */
import { cpSync, readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { folderOf } from '../scenario/folder.ts'

const projectRoot = resolve(import.meta.dirname, '..', '..')

test('npm pack, installed elsewhere, runs a scenario by npx twin run', { timeout: 240_000 }, async () => {
  const folder = folderOf({ 'package.json': '{"name":"elsewhere","private":true}' })
  const env = { PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}` }
  await execa('npm', ['pack', '--pack-destination', folder], { cwd: projectRoot, env })
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? ''
  await execa('npm', ['install', `./${tarball}`, '--no-audit', '--no-fund', '--prefer-offline'], { cwd: folder, env })
  cpSync(join(projectRoot, 'scenarios', 'gatewayapi'), join(folder, 'scenarios', 'gatewayapi'), { recursive: true })
  const ran = await execa('npx', ['--no-install', 'twin', 'run', '-g', 'promote'], { cwd: folder, env, reject: false })
  expect(ran.stdout + ran.stderr).toContain('1 passed, 0 failed, 0 invalid')
  expect(ran.exitCode).toBe(0)
})

test(
  'npx twin works in a clone, and the replay a failure prints is the same failure',
  { timeout: 120_000 },
  async () => {
    const folder = folderOf({})
    // A cache of its own: npx keeps a link to the project there.
    const env = { PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`, npm_config_cache: folder }
    const words = ['twin', 'run', 'fixtures/harness/must-fail.yaml', '--output', folder]
    const ran = await execa('npx', words, { cwd: projectRoot, env, reject: false })
    expect(ran.stderr + ran.stdout).toContain('0 passed, 1 failed, 0 invalid')
    expect(ran.exitCode).toBe(1)
    const replay = /^ {2}replay: (npx twin run .*)$/m.exec(ran.stdout)?.[1] ?? ''
    const again = await execa('sh', ['-c', `${replay} --output ${folder}`], { cwd: projectRoot, env, reject: false })
    expect(again.exitCode).toBe(1)
    const divergence = /^ {2}first divergence: .*$/m
    expect(divergence.exec(again.stdout)?.[0]).toBe(divergence.exec(ran.stdout)?.[0])
  }
)
