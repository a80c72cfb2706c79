/** The Linkerd documentation's canary tutorial, steps 03 to 20, typed with the real kubectl at `twin up`. */
import { type Browser, chromium, type Page } from '@playwright/test'
import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { Seed, seedsPresent } from './seed.ts'
import { startUp, type Up } from './up.ts'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 })
const CHROMIUM = '/usr/bin/chromium'
if (!seedsPresent) console.warn('SKIPPED 1 tutorial (21 steps): the transcribed tutorials are not there')

/** Whether the steps in a browser are typed; a machine of a pipeline has one. */
const hasBrowser = existsSync(CHROMIUM) || process.env['CI'] === 'true'
if (!hasBrowser) console.warn('SKIPPED 3 steps: no chromium')

/** What watch has drawn, a space for each movement of its cursor. */
function screenText(drawn: string): string {
  const [first = '', ...parts] = drawn.split('\u001B')
  return first + parts.map((part) => part.replace(/^[[(][\d;?]*[A-Za-z]/, ' ')).join('')
}

/** Weights of canary and primary as kubectl shows them. */
async function splitWeights(up: Up): Promise<readonly number[]> {
  const weights = await up.terminal.type(
    "kubectl -n test get trafficsplit podinfo -o jsonpath='{.spec.backends[*].weight}'"
  )
  return weights.output.split(' ').map(Number)
}

/** Cells of the leaves' rows on the dashboard's page of a traffic split. */
async function leafRows(page: Page): Promise<readonly (readonly string[])[]> {
  const rows = page.getByRole('table', { name: 'Leaf services' }).locator('tbody tr')
  await rows.nth(1).waitFor()
  const texts = await rows.allInnerTexts()
  return texts.map((text) => text.split(/\s+/))
}

describe.skipIf(!seedsPresent)('the Linkerd tutorial at twin up', () => {
  const seed = seedsPresent ? new Seed('000') : undefined
  let up: Up
  let browser: Browser

  beforeAll(async () => {
    up = await startUp(30)
    if (hasBrowser) browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
  })
  afterAll(async () => {
    if (hasBrowser) await browser.close()
    await up.close()
  })

  async function visit(url: string): Promise<Page> {
    const page = await browser.newPage()
    await page.goto(url)
    return page
  }

  const command = (n: number, index = 0): string => seed?.command(n, index) ?? ''

  test('03 and 04: namespace and demo apply, podinfo rolls out', async () => {
    const applied = await up.terminal.type(command(3))
    expect(applied.output).toContain('namespace/test created')
    expect(applied.output).toContain('deployment.apps/podinfo created')
    expect(applied.exitCode).toBe(0)
    const rolled = await up.terminal.type(command(4))
    expect(rolled.output).toContain('deployment "podinfo" successfully rolled out')
  })

  test.skipIf(!hasBrowser)('05 and 06: the page of podinfo is seen through port-forward in a browser', async () => {
    const forward = up.terminal.follow(command(5))
    await forward.until('Forwarding from 127.0.0.1:9898')
    const page = await visit(seed?.step(6).text ?? '')
    expect(await page.innerText('body')).toContain('greetings from podinfo v1.7.0')
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

  test('15: linkerd stat shows where the ten requests a second of the load went', async () => {
    const stat = up.terminal.follow(command(15))
    await stat.until(/podinfo-primary[^\n]*100\.00%[^\n]*\d+\.\drps/)
    const screen = screenText(stat.output())
    expect(screen).toMatch(/NAME +MESHED +SUCCESS +RPS +LATENCY_P50 +LATENCY_P95 +LATENCY_P99 +TCP_CONN/)
    const rates = [...screen.matchAll(/podinfo\S* +\d\/\d +\S+ +(\d+\.\d)rps/g)].map((row) => Number(row[1]))
    const together = rates.reduce((sum, rate) => sum + rate, 0)
    // Rounded to a tenth each, and a series that was just born or split tells a little more or less than its share.
    expect(Math.abs(together - 10)).toBeLessThan(1.5)
    await stat.stop()
  })

  test.skipIf(!hasBrowser)('16 and 17: the dashboard shows both leaves with weight and success rate', async () => {
    const dashboard = up.terminal.follow(command(16))
    await dashboard.until('Linkerd dashboard available at:\nhttp://localhost:50750\n')
    const before = await splitWeights(up)
    const page = await visit(seed?.step(17).text ?? '')
    const [canary = [], primary = []] = await leafRows(page)
    const after = await splitWeights(up)
    expect([canary[0], primary[0]]).toEqual(['podinfo-canary', 'podinfo-primary'])
    expect(Number(canary[1]) + Number(primary[1])).toBe(100)
    // The rollout goes on meanwhile: the canary's weight only rises, until all traffic goes back to the primary at once.
    const [least = 0, most = 0, shown] = [before[0], after[0], Number(canary[1])]
    const fits = least <= most ? shown >= least && shown <= most : shown >= least || shown <= most
    expect(fits, `the page shows ${shown}, kubectl ${least} before and ${most} after`).toBe(true)
    expect(primary[2]).toBe('100.00%')
    expect(canary[2]).toMatch(/^(?:100\.00%|-)$/)
    await page.close()
    await dashboard.stop()
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
    const waited = await up.terminal.type(
      'kubectl -n test wait canary/podinfo --for=condition=promoted --timeout=150s',
      155_000
    )
    expect(waited.output).toContain('canary.flagger.app/podinfo condition met')
    const image = await up.terminal.type(
      "kubectl -n test get deploy podinfo-primary -o jsonpath='{.spec.template.spec.containers[0].image}'"
    )
    expect(image.output).toBe('quay.io/stefanprodan/podinfo:1.7.1')
  })

  test.skipIf(!hasBrowser)('the dashboard follows the next rollout by itself', async () => {
    const dashboard = up.terminal.follow(command(16))
    await dashboard.until('http://localhost:50750')
    const page = await visit(seed?.step(17).text ?? '')
    await leafRows(page)
    await up.terminal.type(command(11).replace('1.7.1', '1.7.0'))
    const canary = page.getByRole('row', { name: /^podinfo-canary/ })
    await canary.filter({ hasText: /^podinfo-canary\s*[1-9]\d+\s*100\.00%/ }).waitFor()
    await dashboard.stop()
    await page.getByRole('alert').filter({ hasText: 'The dashboard does not answer' }).waitFor()
    await page.close()
  })
})
