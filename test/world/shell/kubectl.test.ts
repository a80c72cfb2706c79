import { beforeEach, describe, expect, it } from 'vitest'
import { randomStream } from '../../../src/lib/random/index.ts'
import { VirtualClock } from '../../../src/lib/time/index.ts'
import { type ApiServer, createApiServer } from '../../../src/model/apiserver/index.ts'
import { createWorldShell, type ShellResult, type WorldShell } from '../../../src/world/shell/index.ts'

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: { name: podinfo, namespace: test }
spec:
  replicas: 2
  selector: { matchLabels: { app: podinfo } }
  template:
    metadata: { labels: { app: podinfo } }
    spec:
      containers:
        - { name: podinfod, image: 'stefanprodan/podinfo:3.1.0' }
`

let api: ApiServer
let shell: WorldShell

function run(command: string, stdin?: string): Promise<ShellResult> {
  return shell.run(command, { place: { kind: 'terminal' }, ...(stdin === undefined ? {} : { stdin }) })
}

async function stdout(command: string, stdin?: string): Promise<string> {
  const result = await run(command, stdin)
  expect(result.stderr).toBe('')
  return result.stdout
}

beforeEach(async () => {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1))
  api = createApiServer({ clock, random: randomStream(1, 'api') })
  const hold = { name: '', id: 0, release: () => {}, suspend: () => {}, resume: () => {} }
  shell = createWorldShell({
    clock: { now: () => clock.now(), at: (due, callback) => clock.at(due, callback), hold: () => hold },
    api: (request) => api.handle(request),
    http: () => Promise.resolve({ ok: false, reason: 'resolve', message: '' }),
    load: () => Promise.resolve([]),
    logs: () => ['first', 'second', 'third']
  })
  expect(await stdout('kubectl create ns test')).toBe('namespace/test created\n')
  expect(await stdout('kubectl apply -f -', DEPLOYMENT)).toBe('deployment.apps/podinfo created\n')
})

describe('kubectl of the world shell', () => {
  it('applies again: unchanged, then configured, and drops what the manifest no longer says', async () => {
    expect(await stdout('kubectl apply -f -', DEPLOYMENT)).toBe('deployment.apps/podinfo unchanged\n')
    const changed = DEPLOYMENT.replace('  replicas: 2\n', '  minReadySeconds: 5\n')
    expect(await stdout('kubectl apply -f -', changed)).toBe('deployment.apps/podinfo configured\n')
    expect(
      await stdout(`kubectl -n test get deploy podinfo -o jsonpath='{.spec.minReadySeconds} {.spec.replicas}'`)
    ).toBe('5 1')
  })

  it('sets an image by container name', async () => {
    const command = 'kubectl -n test set image deployment/podinfo podinfod=stefanprodan/podinfo:3.1.1'
    expect(await stdout(command)).toBe('deployment.apps/podinfo image updated\n')
    expect(await stdout(command)).toBe('')
    const path = `{range .spec.template.spec.containers[?(@.name=="podinfod")]}{.image}{"\\n"}{end}`
    expect(await stdout(`kubectl -n test get deploy/podinfo -o jsonpath='${path}'`)).toBe(
      'stefanprodan/podinfo:3.1.1\n'
    )
    const wrong = await run('kubectl -n test set image deployment/podinfo web=x:1')
    expect([wrong.exitCode, wrong.stderr]).toEqual([1, 'error: unable to find container named "web"\n'])
  })

  it('annotates, labels, scales, patches and restarts', async () => {
    expect(await stdout('kubectl annotate namespace test linkerd.io/inject=enabled')).toBe('namespace/test annotated\n')
    expect(await stdout('kubectl -n test label deploy podinfo tier=web')).toBe('deployment.apps/podinfo labeled\n')
    expect((await run('kubectl -n test label deploy podinfo tier=api')).stderr).toContain('--overwrite is false')
    expect(await stdout('kubectl -n test label deploy podinfo tier-')).toBe('deployment.apps/podinfo unlabeled\n')
    expect(await stdout('kubectl -n test scale deploy/podinfo --replicas=5')).toBe('deployment.apps/podinfo scaled\n')
    const patch = `kubectl -n test patch deploy podinfo --type json -p '[{"op":"replace","path":"/spec/replicas","value":3}]'`
    expect(await stdout(patch)).toBe('deployment.apps/podinfo patched\n')
    expect(await stdout('kubectl -n test rollout restart deploy/podinfo')).toBe('deployment.apps/podinfo restarted\n')
    const deployment = api.get('apps', 'deployments', 'test', 'podinfo')
    expect(deployment?.spec).toMatchObject({
      replicas: 3,
      template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': '2026-01-01T00:00:00Z' } } }
    })
  })

  it("prints the server's tables, names, YAML and custom columns", async () => {
    expect(await stdout('kubectl -n test get deploy')).toMatch(
      /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\npodinfo +0\/2 /
    )
    expect(await stdout('kubectl get deploy -A --no-headers')).toMatch(/^test +podinfo +0\/2 /)
    expect(await stdout('kubectl -n test get deploy -o name')).toBe('deployment.apps/podinfo\n')
    expect(await stdout('kubectl get ns test -o yaml | grep creationTimestamp')).toBe(
      '  creationTimestamp: "2026-01-01T00:00:00Z"\n'
    )
    const columns = 'custom-columns=NAME:.metadata.name,REPLICAS:.spec.replicas'
    expect(await stdout(`kubectl -n test get deploy -o ${columns}`)).toBe('NAME      REPLICAS\npodinfo   2\n')
    expect(await run('kubectl -n test get pods')).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: 'No resources found in test namespace.\n'
    })
  })

  it('describes an object with its fields and events', async () => {
    const text = await stdout('kubectl -n test describe deploy podinfo')
    expect(text).toContain('Name:          podinfo\n')
    expect(text).toContain('Revision History Limit: 10')
    expect(text).toContain('Events:  <none>')
  })

  it('deletes, and says what is not there', async () => {
    expect(await stdout('kubectl -n test delete deploy podinfo')).toBe(
      'deployment.apps "podinfo" deleted from test namespace\n'
    )
    expect(await run('kubectl -n test get deploy podinfo')).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'Error from server (NotFound): deployments.apps "podinfo" not found\n'
    })
    expect((await run('kubectl -n test get nonsense')).stderr).toBe(
      `error: the server doesn't have a resource type "nonsense"\n`
    )
  })

  it('reads the last lines of a log', async () => {
    expect(await stdout('kubectl -n test logs podinfo-1 --tail=2')).toBe('second\nthird\n')
  })

  it('passes the refusal of the server on', async () => {
    const refused = await run(
      'kubectl apply -f -',
      DEPLOYMENT.replace('app: podinfo } }\n  template', 'app: other } }\n  template')
    )
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toMatch(
      /^The Deployment "podinfo" is invalid: \n\* spec\.template\.metadata\.labels: Invalid value/
    )
  })
})
