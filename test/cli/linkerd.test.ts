/** `twin linkerd` as a process of its own, and the script by which it is called `linkerd`. */
import { readFileSync, rmSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { writeLauncher } from '../../src/cli/launcher.ts'
import { startTwinStand, type TwinStand } from '../dashboard/twin-stand.ts'
import { folderOf } from '../scenario/folder.ts'

const main = resolve(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts')

let stand: TwinStand
beforeEach(async () => {
  stand = await startTwinStand()
})
afterEach(() => stand.close())

interface Ran {
  readonly exitCode: number | undefined
  readonly stdout: string
  readonly stderr: string
}

async function linkerd(words: readonly string[], env: Readonly<Record<string, string>> = stand.env): Promise<Ran> {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [main, 'linkerd', ...words], {
    reject: false,
    env
  })
  return { exitCode, stdout, stderr }
}

describe('twin linkerd', () => {
  test('passes every flag through, also those of twin itself', async () => {
    const help = await linkerd(['--help'])
    expect(help.exitCode).toBe(0)
    expect(help.stdout).toContain('linkerd [viz] stat [flags] (RESOURCES)')
  })

  test('prints statistics and ends 0; the note that there are none goes to stderr', async () => {
    stand.objects['/api/v1/namespaces'] = [{ metadata: { name: 'test' } }]
    stand.objects['/api/v1/pods'] = []
    expect(await linkerd(['viz', 'stat', 'ns', '-o', 'json', '--unmeshed'])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('"name": "test"'),
      stderr: ''
    })
    expect(await linkerd(['stat', 'ns'])).toEqual({ exitCode: 0, stdout: '', stderr: 'No traffic found.' })
  })

  test.each([
    ['an unknown flag', ['stat', 'deploy', '--form', 'x'], 'Error: unknown flag: --form'],
    ['an unknown type', ['stat', 'foo'], 'canonical name from friendly name [foo]'],
    ['an unknown namespace', ['stat', 'svc', '-n', 'nope'], 'Error: namespaces "nope" not found'],
    ['no kubeconfig', ['stat', 'svc', '--kubeconfig', '/nowhere'], 'Error: no kubeconfig at /nowhere']
  ])('ends 1 for %s and says what is wrong', async (_name, words, message) => {
    const ran = await linkerd(words)
    expect(ran).toMatchObject({ exitCode: 1, stdout: '' })
    expect(ran.stderr).toContain(message)
    expect(ran.stderr).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m)
  })

  test('ends 1 where no twin answers', async () => {
    const env = { ...stand.env }
    const file = JSON.parse(readFileSync(env.KUBECONFIG, 'utf8')) as object
    const folder = folderOf({ kubeconfig: JSON.stringify(file).replace(stand.apiUrl, 'http://127.0.0.1:1') })
    for (const words of [
      ['stat', 'deploy'],
      ['dashboard', '--port', '0']
    ]) {
      const ran = await linkerd(words, { KUBECONFIG: join(folder, 'kubeconfig') })
      expect(ran.exitCode).toBe(1)
      expect(ran.stderr).toContain('cannot reach the Kubernetes API at http://127.0.0.1:1; is `twin up` running?')
    }
  })

  test('serves its dashboard until Ctrl-C and says where', async () => {
    const words = [main, 'linkerd', 'dashboard', '--port', '0', '--show', 'url']
    const running = execa(process.execPath, words, { env: stand.env, reject: false })
    const url = await new Promise<string>((found) => {
      let printed = ''
      running.stdout.on('data', (chunk: Buffer) => {
        printed += chunk.toString('utf8')
        const [, at] = /available at:\n(http:\S+)\n/.exec(printed) ?? []
        if (at !== undefined) found(at)
      })
    })
    expect((await fetch(url)).status).toBe(404)
    stand.objects['/api/v1/namespaces'] = []
    stand.objects['/api/v1/pods'] = []
    expect((await fetch(url)).status).toBe(200)
    running.kill('SIGINT')
    expect(await running).toMatchObject({ exitCode: 0, stdout: `Linkerd dashboard available at:\n${url}` })
  })
})

describe('writeLauncher()', () => {
  test('writes a script of its own that only its owner runs; another program of that name stays', async () => {
    const folder = folderOf({})
    const bin = writeLauncher(folder, 'linkerd', 'linkerd')
    expect(statSync(join(bin, 'linkerd')).mode & 0o777).toBe(0o700)
    expect(readFileSync(join(bin, 'linkerd'), 'utf8')).toMatch(/^#!\/bin\/sh\n.*exec '.*' 'linkerd' "\$@"\n$/)
    expect(() => writeLauncher(folder, 'linkerd', 'linkerd')).toThrow('EEXIST')
    rmSync(folder, { recursive: true, force: true })
  })
})
