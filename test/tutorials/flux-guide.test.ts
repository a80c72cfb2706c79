/** The Flux guide's Linkerd canary, steps 01 to 24, typed with the real kubectl at `twin up`. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { parse, stringify } from 'yaml'
import { Seed, seedsPresent } from './seed.ts'
import { startUp, type Up } from './up.ts'

if (!seedsPresent) console.warn('SKIPPED 1 tutorial (19 steps): the transcribed tutorials are not there')

/** Wall seconds in which a phase comes even on a loaded machine; a rollout takes about fifteen. */
const PHASE_WALL_SECONDS = 150
vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 })

/** Weight and outcome lines of `kubectl describe canary`, in order. */
function eventMessages(described: string): string[] {
  return described
    .slice(described.indexOf('Events:'))
    .split('\n')
    .map((line) => line.replace(/^.*?\s{2,}flagger\s+/, '').trim())
}

describe.skipIf(!seedsPresent)('the Flux guide at twin up', () => {
  const seed = seedsPresent ? new Seed('001') : undefined
  let up: Up

  beforeAll(async () => {
    up = await startUp(30)
  })
  afterAll(async () => {
    await up.close()
  })

  const command = (n: number, index = 0): string => seed?.command(n, index) ?? ''
  const phaseBecomes = (phase: string): Promise<unknown> =>
    up.terminal.type(
      `kubectl -n test wait canary/podinfo --for=jsonpath='{.status.phase}'=${phase} --timeout=${PHASE_WALL_SECONDS}s`,
      PHASE_WALL_SECONDS * 1000 + 5000
    )
  const testerPod = async (): Promise<string> =>
    (await up.terminal.type('kubectl -n test get pod -l app=flagger-loadtester -o name')).output
      .trim()
      .replace('pod/', '')
  /** Step 17 opens a shell in the load tester; what follows is typed there. */
  const shellInTester = async (): Promise<ReturnType<Up['terminal']['follow']>> =>
    up.terminal.follow(
      command(17)
        .replace('flagger-loadtester-xx-xx', await testerPod())
        .replace(/ sh$/, ' -- sh')
    )

  test('01 and 02: linkerd, viz and smi install, which are there already, apply', async () => {
    const commands = [command(1, 0), command(1, 1), command(1, 2), command(2, 1)]
    for (const [index, name] of ['linkerd', 'linkerd', 'linkerd-viz', 'linkerd-smi'].entries()) {
      const applied = await up.terminal.type(commands[index] ?? '')
      expect(applied.output).toMatch(new RegExp(`namespace/${name} (?:configured|unchanged|created)`))
      expect(applied.exitCode).toBe(0)
    }
    const checked = await up.terminal.type('linkerd check')
    expect(checked.output).toContain('√ prometheus is installed and configured correctly')
  })

  test('03: the controller is installed from the guide’s overlay', async () => {
    const installed = await up.terminal.type(command(3))
    expect(installed.output).toContain('deployment.apps/flagger created')
    const rolled = await up.terminal.type('kubectl -n flagger-system rollout status deploy/flagger')
    expect(rolled.output).toContain('successfully rolled out')
  })

  test('08 to 12: namespace, load tester, podinfo and Canary apply; the Canary is initialised', async () => {
    expect((await up.terminal.type(command(8))).output).toContain('namespace/test created')
    expect((await up.terminal.type(command(8, 1))).output).toContain('namespace/test annotated')
    const tester = await up.terminal.type(command(9))
    expect(tester.output).toContain('deployment.apps/flagger-loadtester created')
    const podinfo = await up.terminal.type(command(10))
    expect(podinfo.output).toContain('deployment.apps/podinfo created')
    expect(podinfo.output).toContain('horizontalpodautoscaler.autoscaling/podinfo created')
    copyFileSync(seed?.file('11-podinfo-canary.yaml') ?? '', join(up.folder, 'podinfo-canary.yaml'))
    expect((await up.terminal.type(command(12))).output).toContain('canary.flagger.app/podinfo created')
    await phaseBecomes('Initialized')
    const generated = await up.terminal.type(
      'kubectl -n test get deployment/podinfo-primary hpa/podinfo-primary svc/podinfo svc/podinfo-canary svc/podinfo-primary trafficsplit/podinfo -o name'
    )
    expect(generated.output).not.toContain('NotFound')
    expect(generated.exitCode).toBe(0)
  })

  test('13 to 15: 6.0.1 is promoted; describe and get show it', async () => {
    expect((await up.terminal.type(command(13))).output).toContain('image updated')
    await phaseBecomes('Progressing')
    const watching = up.terminal.follow(command(15))
    // watch rewrites only the cells that changed, so the state may stand alone.
    await watching.until(/Progressing|Promoting|Finalis|Succeeded/)
    await watching.stop()
    await phaseBecomes('Succeeded')
    const messages = eventMessages((await up.terminal.type(command(14))).output)
    expect(messages.join('\n')).toMatch(
      /New revision detected! Scaling up podinfo\.test[\s\S]*Pre-rollout check acceptance-test passed[\s\S]*Advance podinfo\.test canary weight 5\n/
    )
  })

  test('16 to 20: 500s and delays from inside the load tester roll 6.0.2 back', async () => {
    expect((await up.terminal.type(command(16))).output).toContain('image updated')
    // Typed at once: the analysis takes a dozen seconds of wall time, and a loaded machine needs some of them per command.
    const errors = await shellInTester()
    errors.write(command(18))
    const delays = await shellInTester()
    delays.write(command(19))
    await phaseBecomes('Failed')
    await Promise.all([errors.stop(), delays.stop()])
    const described = await up.terminal.type(command(20))
    expect(described.output).toMatch(/Phase:\s+Failed/)
    expect(described.output).toMatch(/Halt podinfo\.test advancement (success rate|request duration)/)
    const image = await up.terminal.type(
      "kubectl -n test get deploy podinfo-primary -o jsonpath='{.spec.template.spec.containers[0].image}'"
    )
    expect(image.output).toBe('ghcr.io/stefanprodan/podinfo:6.0.1')
  })

  test('21 to 24: with the 404s metric 6.0.3 is rolled back; the log of the controller says so', async () => {
    const canary = parse(readFileSync(seed?.file('11-podinfo-canary.yaml') ?? '', 'utf8'))
    const fragment = parse(readFileSync(seed?.file('21-canary-404s-metric.fragment.yaml') ?? '', 'utf8'))
    canary.spec.analysis.metrics.push(...fragment.analysis.metrics)
    writeFileSync(join(up.folder, 'podinfo-canary.yaml'), stringify(canary))
    expect((await up.terminal.type(command(12))).output).toContain('canary.flagger.app/podinfo configured')
    // The guide's own layout has moved: the controller's namespace is flagger-system today.
    const log = up.terminal.follow(command(24).replace('-n linkerd', '-n flagger-system'))
    expect((await up.terminal.type(command(22))).output).toContain('image updated')
    const missing = await shellInTester()
    missing.write(command(23))
    // The log begins with the rollback before, and the phase was Failed before: only what follows the new halt counts.
    await log.until(
      /"Halt podinfo\.test advancement 404s percentage [\d.]+ > 3"[\s\S]*"Rolling back podinfo\.test failed checks threshold reached 5"[\s\S]*"Canary failed! Scaling down podinfo\.test"/,
      PHASE_WALL_SECONDS * 1000
    )
    await phaseBecomes('Failed')
    await Promise.all([missing.stop(), log.stop()])
  })
})
