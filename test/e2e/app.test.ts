/** `twin app`: app models as processes of their own, as a container runs them. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { execa } from 'execa'
import { describe, expect, onTestFinished, test } from 'vitest'

const main = join(resolve(import.meta.dirname, '..', '..'), 'src', 'cli', 'main.ts')

type Child = ReturnType<typeof spawnApp>

interface Running {
  readonly child: Child
  /** Resolves with the first group once the pattern is printed. */
  shows(pattern: RegExp): Promise<string>
}

// oxlint-disable-next-line typescript/explicit-function-return-type -- execa's type depends on its options
const spawnApp = (spec: unknown, words: readonly string[]) =>
  execa(process.execPath, [main, 'app', '--spec', JSON.stringify(spec), ...words], { reject: false, all: true })

function start(spec: unknown, words: readonly string[] = []): Running {
  const child = spawnApp(spec, words)
  onTestFinished(() => void child.kill('SIGKILL'))
  let printed = ''
  return {
    child,
    shows: (pattern) =>
      new Promise((found, failed) => {
        const look = (): void => {
          const match = pattern.exec(printed)
          if (match !== null) found(match[1] ?? '')
        }
        child.all.on('data', (chunk: Buffer) => {
          printed += chunk.toString('utf8')
          look()
        })
        void child.then(({ exitCode }) => failed(new Error(`ended with ${exitCode}: ${printed}`)))
        look()
      })
  }
}

const LISTENS = /listens on (http:\S+); Ctrl-C ends it/

describe('twin app', () => {
  test('serves podinfo with its version and faults where it says; Ctrl-C ends it, a container’s stop lets it drain', async () => {
    const spec = { app: 'podinfo', version: '6.0.0', faults: [{ status: 500, path: '/' }] }
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const app = start(spec, ['--port', '0'])
      const url = await app.shows(LISTENS)
      const version: unknown = await (await fetch(`${url}/version`)).json()
      expect(version).toMatchObject({ version: '6.0.0' })
      expect((await fetch(`${url}/`)).status).toBe(500)
      app.child.kill(signal)
      const { exitCode, all } = await app.child
      expect([exitCode, /"msg":"Starting podinfo"/.test(all), / at .*:\d+:\d+/.test(all)]).toEqual([0, true, false])
    }
  })

  test('an app without ports runs until it is ended', async () => {
    const app = start({ app: 'pause' })
    await app.shows(/^pause runs; (Ctrl-C) ends it$/m)
    app.child.kill('SIGINT')
    expect(await app.child).toMatchObject({ exitCode: 0, all: 'pause runs; Ctrl-C ends it' })
  })

  test('slow_cooker sends requests to where its arguments say', async () => {
    const asked = Promise.withResolvers<string>()
    const server = createServer((request, response) => {
      response.end('ok')
      asked.resolve(request.url ?? '')
    })
    onTestFinished(() => void server.close())
    onTestFinished(() => server.closeAllConnections())
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    const { port } = server.address() as AddressInfo
    start({ app: 'slow-cooker' }, ['--', '-qps', '20', `http://127.0.0.1:${port}/hit`])
    expect(await asked.promise).toBe('/hit')
  })

  test('a taken port ends 3 and names it, an impossible one ends 2', async () => {
    const server = createServer()
    onTestFinished(() => void server.close())
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    const { port } = server.address() as AddressInfo
    const taken = await start({ app: 'podinfo' }, ['--port', String(port)]).child
    expect([taken.exitCode, taken.all]).toEqual([3, expect.stringContaining(`port ${port} is taken`)])
    expect(taken.all).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m)
    const impossible = await start({ app: 'podinfo' }, ['--port', '99999']).child
    expect([impossible.exitCode, impossible.all]).toEqual([2, expect.stringContaining('between 0 and 65535')])
  })
})
