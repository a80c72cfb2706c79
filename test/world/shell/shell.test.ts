import { afterEach, describe, expect, it } from 'vitest'
import { createWorldClock, type WorldClock } from '../../../src/world/embedded/clock.ts'
import {
  createWorldShell,
  type ShellHttpRequest,
  type ShellPlace,
  type ShellPorts,
  type WorldShell
} from '../../../src/world/shell/index.ts'

const POD: ShellPlace = { kind: 'pod', namespace: 'test', pod: 'tester-1' }
const clocks: WorldClock[] = []

afterEach(() => {
  for (const clock of clocks.splice(0)) clock.stop()
})

interface Bench {
  readonly clock: WorldClock
  readonly shell: WorldShell
  readonly requests: { readonly atMs: number; readonly request: ShellHttpRequest }[]
}

/** A shell whose network answers after 2 simulated ms: `/status/<n>` with that status, `/slow` never. */
function bench(): Bench {
  const clock = createWorldClock({ time: 'stepped', onFailure: () => undefined })
  clocks.push(clock)
  const requests: Bench['requests'] = []
  const ports: ShellPorts = {
    clock,
    api: () => ({ code: 404, body: { reason: 'NotFound', message: 'not here' } }),
    http: (_place, request, hold, signal) => {
      requests.push({ atMs: clock.now() - clock.startInstant, request })
      if (request.url.hostname === 'nowhere') return Promise.resolve({ ok: false, reason: 'resolve', message: '' })
      const slow = request.url.pathname === '/slow'
      return new Promise((resolve) => {
        if (!slow) clock.at(clock.now() + 2, () => (hold.resume(), resolve(answer(request))))
        if (request.timeoutMs !== undefined) {
          clock.at(clock.now() + request.timeoutMs, () => {
            hold.resume()
            resolve({ ok: false, reason: 'timeout', message: '' })
          })
        }
        signal.addEventListener('abort', () => resolve({ ok: false, reason: 'aborted', message: '' }))
        hold.suspend()
      })
    },
    load: () => Promise.resolve([]),
    logs: () => undefined
  }
  clock.start()
  return { clock, shell: createWorldShell(ports), requests }
}

function answer(request: ShellHttpRequest): { ok: true; status: number; headers: [string, string][]; body: string } {
  const status = Number(/^\/status\/(\d+)$/.exec(request.url.pathname)?.[1] ?? 200)
  return {
    ok: true,
    status,
    headers: [['Content-Type', 'text/plain']],
    body: `token for ${request.body ?? 'nobody'}\n`
  }
}

describe('createWorldShell()', () => {
  it("runs the tutorial's acceptance test through a pipe", async () => {
    const { shell, requests } = bench()
    const command = `curl -sd 'test' http://podinfo-canary.test:9898/token | grep token`
    expect(await shell.run(command, { place: POD })).toEqual({ exitCode: 0, stdout: 'token for test\n', stderr: '' })
    expect(requests.map(({ request }) => [request.method, request.url.href, request.body])).toEqual([
      ['POST', 'http://podinfo-canary.test:9898/token', 'test']
    ])
  })

  it.each([
    ['curl -s http://nowhere/', { exitCode: 6, stdout: '', stderr: '' }],
    ['curl http://nowhere/', { exitCode: 6, stdout: '', stderr: 'curl: (6) Could not resolve host: nowhere\n' }],
    [
      'curl -fsS http://a.test/status/500',
      { exitCode: 22, stdout: '', stderr: 'curl: (22) The requested URL returned error: 500\n' }
    ],
    [
      `curl -s -o /dev/null -w '%{http_code}\\n' http://a.test/status/404`,
      { exitCode: 0, stdout: '404\n', stderr: '' }
    ],
    [
      'curl -sS --max-time 3 http://a.test/slow',
      {
        exitCode: 28,
        stdout: '',
        stderr: 'curl: (28) Operation timed out after 3000 milliseconds with 0 bytes received\n'
      }
    ],
    ['curl --nonsense http://a.test/', { exitCode: 2, stdout: '', stderr: expect.stringContaining('is unknown') }],
    ['sleep 90; date -u +%H:%M:%S', { exitCode: 0, stdout: '00:01:30\n', stderr: '' }],
    ['timeout 5 sleep 60', { exitCode: 124, stdout: '', stderr: '' }],
    ['timeout 5 sleep 1; date -u +%S', { exitCode: 0, stdout: '01\n', stderr: '' }],
    [`echo '{"a":{"b":3}}' | jq .a.b`, { exitCode: 0, stdout: '3\n', stderr: '' }],
    ['frobnicate', { exitCode: 127, stdout: '', stderr: expect.stringContaining('command not found') }],
    ['ghz --insecure a.test:9999', { exitCode: 127, stdout: '', stderr: expect.stringContaining('not modelled') }],
    ['kubectl edit canary/podinfo', { exitCode: 1, stdout: '', stderr: expect.stringContaining('not modelled') }]
  ])('%s', async (command, outcome) => {
    expect(await bench().shell.run(command, { place: POD })).toEqual(outcome)
  })

  it('watches: the command, then one simulated second, until it is ended', async () => {
    const { shell, requests } = bench()
    const outcome = await shell.run('timeout 4 watch -n 1 curl -s http://a.test/', { place: POD })
    expect(outcome.exitCode).toBe(124)
    expect(requests.map(({ atMs }) => atMs)).toEqual([0, 1002, 2004, 3006])
  })

  it('streams what a watching command shows, and ends when it is told to', async () => {
    const { shell } = bench()
    const abort = new AbortController()
    const chunks: string[] = []
    const outcome = await shell.run('watch -n 1 curl -s http://a.test/', {
      place: POD,
      signal: abort.signal,
      onOutput: (chunk) => {
        chunks.push(chunk)
        if (chunks.length === 3) abort.abort()
      }
    })
    expect(outcome.exitCode).toBe(130)
    expect(chunks[0]).toBe('Every 1.0s: curl -s http://a.test/\n\ntoken for nobody\n')
  })

  it('calls a pod by its name', async () => {
    const { shell } = bench()
    const names = 'hostname; echo $HOSTNAME'
    expect((await shell.run(names, { place: POD })).stdout).toBe(`tester-1\ntester-1\n`)
  })

  it('keeps the files of a place between commands and apart from other places', async () => {
    const { shell } = bench()
    await shell.run('echo kept > /tmp/file', { place: POD })
    expect((await shell.run('cat /tmp/file', { place: POD })).stdout).toBe('kept\n')
    expect((await shell.run('cat /tmp/file', { place: { kind: 'terminal' } })).exitCode).toBe(1)
  })
})
