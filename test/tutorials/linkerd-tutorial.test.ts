/** The Linkerd documentation's canary tutorial, steps 03 to 20, typed with the real kubectl at `twin up`. */
import { chromium } from '@playwright/test'
import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Seed, seedsPresent } from './seed.ts'
import { startUp, type Up } from './up.ts'

const CHROMIUM = '/usr/bin/chromium'
if (!seedsPresent) console.warn('SKIPPED 1 tutorial (18 steps): the transcribed tutorials are not there')

async function bodyText(url: string): Promise<string> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
  try {
    const page = await browser.newPage()
    await page.goto(url)
    return await page.innerText('body')
  } finally {
    await browser.close()
  }
}

describe.skipIf(!seedsPresent)('the Linkerd tutorial at twin up', () => {
  const seed = seedsPresent ? new Seed('000') : undefined
  let up: Up

  beforeAll(async () => {
    up = await startUp(30)
  })
  afterAll(async () => {
    await up.close()
  })

  const command = (n: number, index = 0): string => seed?.command(n, index) ?? ''

  test('03 and 04: namespace and demo apply, podinfo rolls out', async () => {
    const applied = await up.terminal.type(command(3))
    expect(applied.output).toContain('namespace/test created')
    expect(applied.output).toContain('deployment.apps/podinfo created')
    expect(applied.exitCode).toBe(0)
    const rolled = await up.terminal.type(command(4))
    expect(rolled.output).toContain('deployment "podinfo" successfully rolled out')
  })

  test('05 and 06: the page of podinfo is seen through port-forward in a browser', async () => {
    if (!existsSync(CHROMIUM) && process.env['CI'] !== 'true') {
      console.warn('SKIPPED 1 step: no chromium')
      return
    }
    const forward = up.terminal.follow(command(5))
    await forward.until('Forwarding from 127.0.0.1:9898')
    const page = await bodyText('http://localhost:9898')
    expect(page).toContain('greetings from podinfo v1.7.0')
    await forward.stop()
  })

  test('07 to 10: the Canary is applied, initialised, its Services are there', async () => {
    expect((await up.terminal.type(command(7))).output).toContain('canary.flagger.app/podinfo created')
    const events = up.terminal.follow(command(9))
    await events.until('Initialization done! podinfo.test')
    expect(events.output()).toMatch(/Normal\s+Synced\s+canary\/podinfo\s+Initialization done! podinfo\.test/)
    await events.stop()
    const services = await up.terminal.type(command(10))
    const rows = services.output
      .trim()
      .split('\n')
      .map((line) => line.split(/\s+/))
    expect(rows[0]).toEqual(['NAME', 'TYPE', 'CLUSTER-IP', 'EXTERNAL-IP', 'PORT(S)', 'AGE'])
    const stable = rows.slice(1).map(([name, type, , external, ports]) => [name, type, external, ports].join(' '))
    expect(stable).toEqual([
      'frontend ClusterIP <none> 8080/TCP',
      'podinfo ClusterIP <none> 9898/TCP',
      'podinfo-canary ClusterIP <none> 9898/TCP',
      'podinfo-primary ClusterIP <none> 9898/TCP'
    ])
  })

  test('11 to 14: a new image starts the rollout, its weights show in events, canary and TrafficSplit', async () => {
    expect((await up.terminal.type(command(11))).output).toContain('deployment.apps/podinfo image updated')
    const events = up.terminal.follow(command(12))
    const canaries = up.terminal.follow(command(13))
    await events.until('Advance podinfo.test canary weight 20')
    expect(events.output()).toMatch(/New revision detected! Scaling up podinfo\.test[\s\S]*canary weight 10/)
    // watch rewrites only the cells that changed, so the state may stand alone.
    await canaries.until(/Progressing|Promoting|Finalis|Succeeded/)
    const split = await up.terminal.type(command(14))
    expect(split.output).toMatch(/service: podinfo-canary\s+weight: "?\d+"?/)
    expect(split.output).toMatch(/service: podinfo-primary\s+weight: "?\d+"?/)
    await Promise.all([events.stop(), canaries.stop()])
  })

  test('18 to 20: the frontend answers through port-forward while both versions serve', async () => {
    const forward = up.terminal.follow(command(18))
    await forward.until('Forwarding from 127.0.0.1:8080')
    const answer = await up.terminal.type(`${command(20)} 2>/dev/null`)
    const body: Record<string, string> = JSON.parse(answer.output)
    expect(Object.keys(body)).toEqual(
      expect.arrayContaining(['hostname', 'version', 'revision', 'color', 'message', 'goos', 'goarch', 'runtime'])
    )
    expect(body['version']).toMatch(/^1\.7\.[01]$/)
    expect(body['hostname']).toMatch(/^podinfo-/)
    await forward.stop()
  })

  test('after the rollout the primary runs the new image and all traffic goes to it', async () => {
    const waited = await up.terminal.type('kubectl -n test wait canary/podinfo --for=condition=promoted --timeout=60s')
    expect(waited.output).toContain('canary.flagger.app/podinfo condition met')
    const image = await up.terminal.type(
      "kubectl -n test get deploy podinfo-primary -o jsonpath='{.spec.template.spec.containers[0].image}'"
    )
    expect(image.output).toBe('quay.io/stefanprodan/podinfo:1.7.1')
  })
})
