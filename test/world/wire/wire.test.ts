/** The API's wire, with the real kubectl: exec, logs and port-forward as it negotiates them. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, describe, expect, test } from 'vitest'
import { SPDY_DICTIONARY, SPDY_DICTIONARY_ADLER32 } from '../../../src/world/wire/spdy-dictionary.data.ts'
import { bindApi, type BoundApi, type WireApi, type WireHooks } from '../../../src/world/wire/index.ts'

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'test', uid: 'u1', resourceVersion: '5' },
  spec: { containers: [{ name: 'app', image: 'x' }] },
  status: { phase: 'Running' }
}

/** The least an API must answer for kubectl to reach a pod. */
const onePod: WireApi = {
  handle: (request) => {
    if (request.path.endsWith('/pods/web')) return { code: 200, body: pod }
    if (request.path === '/api') return { code: 200, body: { kind: 'APIVersions', versions: ['v1'] } }
    if (request.path === '/apis') return { code: 200, body: { kind: 'APIGroupList', apiVersion: 'v1', groups: [] } }
    if (request.path === '/api/v1') {
      const resources = [{ name: 'pods', singularName: 'pod', namespaced: true, kind: 'Pod', verbs: ['get', 'list'] }]
      return { code: 200, body: { kind: 'APIResourceList', groupVersion: 'v1', resources } }
    }
    return { code: 404, body: { kind: 'Status', status: 'Failure', code: 404 } }
  },
  openWatch: (_request, onEvent) => {
    onEvent({ type: 'ADDED', object: pod })
    return { close: () => {} }
  }
}

const cleanUps: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function bind(hooks: WireHooks): Promise<{ bound: BoundApi; kubectl: string[] }> {
  const bound = await bindApi({ api: onePod, hooks })
  const folder = mkdtempSync(join(tmpdir(), 'twin-wire-'))
  const file = join(folder, 'kubeconfig')
  writeFileSync(file, bound.kubeconfig())
  cleanUps.push(
    () => bound.close(),
    () => rmSync(folder, { recursive: true })
  )
  return { bound, kubectl: ['--kubeconfig', file, '--cache-dir', folder, '-n', 'test'] }
}

function adler32(bytes: Buffer): number {
  let a = 1
  let b = 0
  for (const byte of bytes) {
    a = (a + byte) % 65521
    b = (b + a) % 65521
  }
  return ((b << 16) | a) >>> 0
}

describe('SPDY_DICTIONARY', () => {
  test('is the protocol’s, by length and checksum', () => {
    expect(SPDY_DICTIONARY).toHaveLength(1423)
    expect(adler32(SPDY_DICTIONARY)).toBe(SPDY_DICTIONARY_ADLER32)
  })
})

describe('bindApi()', () => {
  test('kubectl exec shows stdout and stderr and carries the exit code', async () => {
    const { kubectl } = await bind({
      exec: (call, output) => {
        output.stdout(`ran ${call.command.join(' ')}\n`)
        output.stderr('and complained\n')
        output.exit(3)
        return { stdin: () => {}, endStdin: () => {}, kill: () => {} }
      }
    })
    const result = await execa('kubectl', [...kubectl, 'exec', 'web', '--', 'ls', '-l', '/a b'], { reject: false })
    expect(result.stdout).toBe('ran ls -l /a b')
    expect(result.stderr).toContain('and complained')
    expect(result.exitCode).toBe(3)
  })

  test('kubectl exec -i passes standard input and its end', async () => {
    const { kubectl } = await bind({
      exec: (_call, output) => {
        let seen = ''
        return {
          stdin: (chunk) => {
            seen += chunk.toString('utf8')
          },
          endStdin: () => {
            output.stdout(seen.toUpperCase())
            output.exit(0)
          },
          kill: () => {}
        }
      }
    })
    const result = await execa('kubectl', [...kubectl, 'exec', '-i', 'web', '--', 'cat'], { input: 'hello\n' })
    expect(result.stdout).toBe('HELLO')
  })

  test('kubectl port-forward carries several connections at once', async () => {
    const echo = createServer((socket) => {
      socket.on('data', (data) => {
        const body = `seen ${data.toString('utf8').split(' ')[1]}`
        socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`)
      })
    })
    await new Promise<void>((done) => echo.listen(0, '127.0.0.1', done))
    cleanUps.push(() => void echo.close())
    const address = echo.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const { kubectl } = await bind({ portForward: async () => connect(port, '127.0.0.1') })
    const forward = spawn('kubectl', [...kubectl, 'port-forward', 'pod/web', ':80'])
    cleanUps.push(() => void forward.kill())
    const local = await new Promise<number>((found) => {
      forward.stdout.on('data', (chunk: Buffer) => {
        const match = /127\.0\.0\.1:(\d+)/.exec(chunk.toString('utf8'))
        if (match !== null) found(Number(match[1]))
      })
    })
    const ask = (path: string): Promise<string> =>
      new Promise((resolve, reject) => {
        get({ port: local, host: '127.0.0.1', path, agent: false }, (response) => {
          let text = ''
          response.on('data', (chunk: Buffer) => {
            text += chunk.toString('utf8')
          })
          response.on('end', () => resolve(text))
        }).on('error', reject)
      })
    const answers = await Promise.all(['/1', '/2', '/3', '/4'].map(ask))
    expect(answers).toEqual(['seen /1', 'seen /2', 'seen /3', 'seen /4'])
  })

  test('kubectl logs -f prints what comes and ends with it', async () => {
    const { kubectl } = await bind({
      logs: (call, output) => {
        output.write(`first of ${call.pod}\n`)
        output.write(`follow ${call.follow}\n`)
        output.end()
        return { stop: () => {} }
      }
    })
    const result = await execa('kubectl', [...kubectl, 'logs', '-f', 'web'])
    expect(result.stdout).toBe('first of web\nfollow true')
  })

  test('a request without the token gets 401 as a Status', async () => {
    const { bound } = await bind({})
    const result = await execa('curl', ['-sk', `${bound.url}/api`])
    expect(JSON.parse(result.stdout)).toMatchObject({ kind: 'Status', code: 401, reason: 'Unauthorized' })
  })

  test('a taken port is an error that names it', async () => {
    const { bound } = await bind({})
    await expect(bindApi({ api: onePod, port: bound.port })).rejects.toMatchObject({ code: 'TWIN_PORT_IN_USE' })
  })
})
