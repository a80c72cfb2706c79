import { beforeEach, describe, expect, it } from 'vitest'
import { randomStream } from '../../../src/lib/random/index.ts'
import { VirtualClock } from '../../../src/lib/time/index.ts'
import { createApiServer } from '../../../src/model/apiserver/index.ts'
import { createWorldShell, type ShellPorts, type WorldShell } from '../../../src/world/shell/index.ts'

let shell: WorldShell

function typed(command: string): ReturnType<WorldShell['run']> {
  return shell.run(command, { place: { kind: 'terminal' } })
}

function shellWith(metrics: ShellPorts['metrics']): WorldShell {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1))
  const api = createApiServer({ clock, random: randomStream(1, 'api') })
  const hold = { name: '', id: 0, release: () => {}, suspend: () => {}, resume: () => {} }
  return createWorldShell({
    clock: { now: () => clock.now(), at: (due, callback) => clock.at(due, callback), hold: () => hold },
    api: (request) => api.handle(request),
    http: () => Promise.resolve({ ok: false, reason: 'resolve', message: '' }),
    load: () => Promise.resolve([]),
    logs: () => undefined,
    ...(metrics === undefined ? {} : { metrics })
  })
}

beforeEach(async () => {
  shell = shellWith((expression) => ({
    ok: true,
    samples: expression.includes('response_total')
      ? [{ labels: { dst_namespace: 'test', dst_service: 'web', classification: 'success' }, value: 600 }]
      : []
  }))
  expect(await typed('kubectl create ns test')).toMatchObject({ exitCode: 0 })
})

describe('linkerd of the world shell', () => {
  it('prints statistics, which other commands can read', async () => {
    expect(await typed('linkerd viz stat svc -n test | tail -n 1')).toEqual({
      exitCode: 0,
      stdout: 'web         -   100.00%   10.0rps           0ms           0ms           0ms          -\n',
      stderr: ''
    })
  })

  it.each([
    ['linkerd stat deploy -n test', 0, 'No traffic found.\n'],
    ['linkerd stat deploy -n nope', 1, 'Error: namespaces "nope" not found\n'],
    ['linkerd stat deploy/web -n test', 1, 'Error: deployments.apps "web" not found\n'],
    ['linkerd stat deploy -l "a in"', 1, 'Error: '],
    ['linkerd dashboard', 1, 'Error: no browser here: linkerd dashboard is for `twin up`\n']
  ])('%s', async (command, exitCode, stderr) => {
    const result = await typed(command)
    expect(result).toMatchObject({ exitCode, stdout: '' })
    expect(result.stderr).toContain(stderr)
  })

  it('says so where the world has no Prometheus', async () => {
    shell = shellWith(undefined)
    expect(await typed('linkerd stat svc')).toMatchObject({ exitCode: 1, stderr: 'Error: no Prometheus here\n' })
  })
})
