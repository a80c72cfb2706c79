/** `twin up` as a user starts it. */
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { execa } from 'execa'
import { expect, onTestFinished, test } from 'vitest'

const projectRoot = resolve(import.meta.dirname, '..', '..')
const main = join(projectRoot, 'src', 'cli', 'main.ts')

test('a port that is taken ends 3 and names the port', async () => {
  const server = createServer()
  onTestFinished(() => void server.close())
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const ran = await execa(process.execPath, [main, 'up', '--port', String(port)], { reject: false })
  expect(ran.exitCode).toBe(3)
  expect(ran.stderr).toContain(String(port))
  expect(ran.stderr).toContain('TWIN_PORT_IN_USE')
  expect(ran.stderr).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m)
})

test('prints kubeconfig and URLs, applies the manifests of a scenario, and leaves nothing behind after Ctrl-C', async () => {
  const words = ['up', '--scenario', 'scenarios/gatewayapi/promote.yaml', '--speed', '30']
  const child = execa(process.execPath, [main, ...words], { cwd: projectRoot, reject: false })
  let printed = ''
  let launcher = ''
  let wasThere = false
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString('utf8')
    const bin = /^export PATH=(\S+):\$PATH$/m.exec(printed)?.[1]
    if (bin !== undefined) launcher = join(bin, 'linkerd')
    wasThere ||= existsSync(launcher)
    if (printed.includes('Initialization done! podinfo.test')) child.kill('SIGINT')
  })
  const ended = await child
  expect(printed).toMatch(/^kubeconfig {2}\/\S+kubeconfig$/m)
  expect(printed).toMatch(/^Prometheus {2}http:\/\/127\.0\.0\.1:\d+$/m)
  expect(printed).toContain('Initialization done! podinfo.test')
  expect(ended.exitCode).toBe(0)
  const kubeconfig = /^export KUBECONFIG=(\S+)$/m.exec(printed)?.[1] ?? main
  expect([wasThere, existsSync(launcher), existsSync(kubeconfig)]).toEqual([true, false, false])
})

test('Ctrl-C while the world starts leaves no file behind', async () => {
  const child = execa(process.execPath, [main, 'up'], { cwd: projectRoot, reject: false })
  let printed = ''
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString('utf8')
    if (printed.includes('export KUBECONFIG=')) child.kill('SIGINT')
  })
  const { exitCode } = await child
  expect([0, 130]).toContain(exitCode)
  const kubeconfig = /^kubeconfig +(\S+)$/m.exec(printed)?.[1] ?? ''
  expect(kubeconfig).toMatch(/kubeconfig$/)
  expect(existsSync(dirname(kubeconfig))).toBe(false)
})
