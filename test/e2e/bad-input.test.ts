/** What goes wrong in the middle of a run: each has its message, its exit code, and a trace. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { decodeTrace } from '../../src/trace/index.ts'
import { folderOf } from '../scenario/folder.ts'

const projectRoot = resolve(import.meta.dirname, '..', '..')
const main = join(projectRoot, 'src', 'cli', 'main.ts')
const podinfo = readFileSync(join(projectRoot, 'scenarios', 'traps', 'manifests', 'podinfo.yaml'), 'utf8')

interface Ran {
  readonly exitCode: number | undefined
  readonly stdout: string
  readonly stderr: string
  readonly folder: string
}

interface Given {
  readonly command?: string
  readonly files?: Readonly<Record<string, string>>
}

async function runScenario(spec: string, { command = 'run', files = {} }: Given = {}): Promise<Ran> {
  const head = 'apiVersion: twin/v1alpha1\nkind: Scenario\nmetadata: { name: bad }\nspec:\n'
  const folder = folderOf({ 'podinfo.yaml': podinfo, 'bad.yaml': head + spec, ...files })
  const { exitCode, stdout, stderr } = await execa(process.execPath, [main, command, 'bad.yaml'], {
    cwd: folder,
    reject: false
  })
  return { exitCode, stdout, stderr, folder }
}

const IMAGES = `  images:
    stefanprodan/podinfo:3.1.0: { app: podinfo }
`
const SERVICE =
  '{ apiVersion: v1, kind: Service, metadata: { name: podinfo, namespace: test }, spec: { selector: { app: podinfo }, ports: [{ port: 9898 }] } }'

test('load that cannot be delivered makes the case invalid: exit 6, never passed', async () => {
  const ran = await runScenario(`  manifests: [podinfo.yaml, ${SERVICE}]
  images:
    stefanprodan/podinfo:3.1.0: { app: podinfo, faults: [{ delay: 100s, path: / }] }
  load: [{ name: users, to: 'http://podinfo.test:9898/', rate: 200/s, start: 10s, timeout: 120s }]
  steps: [{ wait: 60s }]
  expect: [{ users: { requests: { atLeast: 1 } } }]
`)
  expect(ran.exitCode).toBe(6)
  expect(ran.stdout).toMatch(/TWIN_LOAD_NOT_DELIVERED[^]*users delivered \d+ of \d+/i)
  expect(ran.stdout.endsWith('0 passed, 0 failed, 1 invalid')).toBe(true)
  expect(existsSync(join(ran.folder, '.twin', 'bad', 'trace.ndjson'))).toBe(true)
})

test('a hook that never answers is a failed check each time, in its own time-out, with Flagger’s words', async () => {
  const ran = await runScenario(`  manifests:
    - podinfo.yaml
    - apiVersion: flagger.app/v1beta1
      kind: Canary
      metadata: { name: podinfo, namespace: test }
      spec:
        targetRef: { apiVersion: apps/v1, kind: Deployment, name: podinfo }
        service: { port: 9898 }
        analysis:
          interval: 10s
          threshold: 2
          stepWeight: 10
          maxWeight: 50
          webhooks: [{ name: slow, type: rollout, url: 'http://podinfo-canary.test:9898/echo', timeout: 5s }]
${IMAGES}    stefanprodan/podinfo:3.1.1: { app: podinfo, faults: [{ delay: 100s, path: /echo }] }
  steps:
    - wait: { phase: Initialized }
    - run: kubectl -n test set image deployment/podinfo podinfod=stefanprodan/podinfo:3.1.1
  expect:
    - sequence: [Initialized, New revision, weight 10, halt hook slow ×2, rollback, Failed]
    - count: { event: 'Halt podinfo.test advancement external check slow failed POST http://podinfo-canary.test:9898/echo giving up after 1 attempt(s)*deadline exceeded*', times: 2 }
`)
  expect(ran.stdout).toContain('1 passed, 0 failed, 0 invalid')
  expect(ran.exitCode).toBe(0)
})

test('a run that is not over in its budget of simulated time ends 4 and names the step it waited at', async () => {
  const ran = await runScenario(`  timeout: 30s
  manifests: [podinfo.yaml]
${IMAGES}  steps: [{ wait: { phase: Initialized } }]
  expect: [{ never: { phase: Failed } }]
`)
  expect(ran.exitCode).toBe(4)
  expect(ran.stdout).toMatch(
    /not over after 30 simulated seconds \(spec\.timeout\); waiting at bad\.yaml:9: \{ wait: \{ phase: Initialized \} \}/
  )
})

test('a manifest the API refuses names the object and the field, and ends 2', async () => {
  const ran =
    await runScenario(`  manifests: [podinfo.yaml, { apiVersion: v1, kind: Service, metadata: { name: Bad_Name, namespace: test }, spec: { ports: [{ port: 99999 }] } }]
${IMAGES}  expect: [{ never: { phase: Failed } }]
`)
  expect(ran.exitCode).toBe(2)
  expect(ran.stdout).toContain('Bad_Name')
  expect(ran.stdout).toMatch(/^ {2}bad\.yaml:5:\d+: Service test\/Bad_Name: .*metadata\.name/m)
  const trace = decodeTrace(readFileSync(join(ran.folder, '.twin', 'bad', 'trace.ndjson'), 'utf8'))
  expect(trace.ok && trace.events.map((event) => event.kind)).toEqual(['error'])
})

test('a misspelt field of a manifest is refused as kubectl refuses it, at its place; lint says the same', async () => {
  const misspelt = podinfo.replace('readinessProbe:', 'readynessProbe:')
  expect(misspelt).not.toBe(podinfo)
  const line = misspelt.split('\n').findIndex((text) => text.includes('readynessProbe')) + 1
  const spec = `  manifests: [misspelt.yaml]\n${IMAGES}  expect: [{ never: { phase: Failed } }]\n`
  const refused = new RegExp(
    `^ *misspelt\\.yaml:${line}:11: Deployment test/podinfo: .*unknown field "spec\\.template\\.spec\\.containers\\[0\\]\\.readynessProbe"`,
    'm'
  )
  for (const command of ['run', 'lint']) {
    const ran = await runScenario(spec, { command, files: { 'misspelt.yaml': misspelt } })
    expect(ran.exitCode).toBe(2)
    expect(ran.stdout).toMatch(refused)
  }
})
