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
