/** The dashboard's pages in a browser. */
import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from '@playwright/test'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type ClusterConnection, connectCluster, type Dashboard, serveDashboard } from '../../src/dashboard/index.ts'
import { startTwinStand, type TwinStand } from './twin-stand.ts'

const CHROMIUM = '/usr/bin/chromium'
const hasBrowser = existsSync(CHROMIUM) || process.env['CI'] === 'true'
if (!hasBrowser) console.warn('SKIPPED 6 tests of pages: no chromium')

const SPLITS = '/apis/split.smi-spec.io/v1alpha2/namespaces/test/trafficsplits'

let browser: Browser
let stand: TwinStand
let cluster: ClusterConnection
let dashboard: Dashboard
let page: Page
let faults: string[]

function splitOf(canaryWeight: number): object {
  return {
    metadata: { name: 'podinfo', namespace: 'test' },
    spec: {
      service: 'podinfo',
      backends: [
        { service: 'podinfo-canary', weight: String(canaryWeight) },
        { service: 'podinfo-primary', weight: String(100 - canaryWeight) }
      ]
    }
  }
}

function setWeight(canaryWeight: number): void {
  stand.objects[SPLITS] = [splitOf(canaryWeight)]
  stand.objects[`${SPLITS}/podinfo`] = splitOf(canaryWeight)
}

describe.skipIf(!hasBrowser)('a page of the dashboard', () => {
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
  })
  afterAll(() => browser.close())

  beforeEach(async () => {
    stand = await startTwinStand()
    setWeight(30)
    Object.assign(stand.objects, {
      '/api/v1/namespaces': [{ metadata: { name: 'test' } }],
      '/api/v1/namespaces/test': { metadata: { name: 'test' } },
      '/api/v1/pods': [],
      '/api/v1/namespaces/test/pods': [],
      '/apis/apps/v1/namespaces/test/deployments': [{ metadata: { name: '<b>web</b>', namespace: 'test' } }],
      '/apis/apps/v1/namespaces/test/replicasets': []
    })
    const series = (leaf: string, classification: string, value: string): object => ({
      metric: { dst_service: leaf, classification },
      value: [1, value]
    })
    stand.series.push([
      'response_total',
      [
        series('podinfo-canary', 'success', '171'),
        series('podinfo-canary', 'failure', '9'),
        series('podinfo-primary', 'success', '420')
      ]
    ])
    cluster = await connectCluster({}, stand.env)
    dashboard = await serveDashboard(cluster, 0)
    page = await browser.newPage()
    faults = []
    page.on('pageerror', (error) => faults.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        faults.push(message.text())
    })
  })
  afterEach(async () => {
    await page.close()
    await dashboard.close()
    cluster.close()
    await stand.close()
    expect(faults).toEqual([])
  })

  test('shows a traffic split as tables with names, headings and rows that say what they are', async () => {
    await page.goto(`${dashboard.url}/namespaces/test/trafficsplits/podinfo`)
    const leaves = page.getByRole('table', { name: 'Leaf services' })
    await leaves.getByRole('row', { name: 'podinfo-canary' }).waitFor()
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('Traffic split test/podinfo')
    expect(await page.title()).toBe('Traffic split test/podinfo – rollout-twin')
    expect(await leaves.getByRole('columnheader').allInnerTexts()).toEqual([
      'Leaf',
      'Weight',
      'Success rate',
      'RPS',
      'P50 latency',
      'P95 latency',
      'P99 latency'
    ])
    expect(await leaves.getByRole('rowheader').allInnerTexts()).toEqual(['podinfo-canary', 'podinfo-primary'])
    const canary = leaves.getByRole('row', { name: 'podinfo-canary' }).getByRole('cell')
    expect((await canary.allInnerTexts()).map((text) => text.trim()).slice(0, 3)).toEqual(['30', '95.00%', '3.0rps'])
    const apex = page.getByRole('table', { name: 'Apex service' }).getByRole('cell')
    expect(await apex.allInnerTexts()).toEqual(['98.50%', '10.0rps'])
    expect(await page.getByRole('alert').count()).toBe(0)
  })

  test('changes the cells that differ and leaves the others where they are', async () => {
    await page.goto(`${dashboard.url}/namespaces/test/trafficsplits/podinfo`)
    const row = page.getByRole('row', { name: 'podinfo-canary' })
    const name = await row.getByRole('rowheader').elementHandle()
    setWeight(40)
    await row.filter({ hasText: /podinfo-canary\s*40/ }).waitFor()
    expect(await name?.evaluate((element) => element.isConnected)).toBe(true)
  })

  test('leads from namespaces to a namespace to a split and back, by links', async () => {
    await page.goto(dashboard.url)
    await page.getByRole('link', { name: 'test' }).click()
    await page.getByRole('table', { name: 'Traffic splits' }).getByRole('link', { name: 'podinfo' }).first().click()
    await page.getByRole('heading', { name: 'Traffic split test/podinfo' }).waitFor()
    await page.getByRole('navigation').getByRole('link', { name: 'test' }).click()
    await page.getByRole('heading', { name: 'Namespace test' }).waitFor()
    // Names are text, whatever they hold.
    expect(await page.getByRole('rowheader', { name: '<b>web</b>' }).count()).toBe(1)
  })

  test('says what is wrong, keeps the last figures, and goes on when it is over', async () => {
    await page.goto(`${dashboard.url}/namespaces/test/trafficsplits/podinfo`)
    await page.getByRole('table', { name: 'Leaf services' }).waitFor()
    delete stand.objects[`${SPLITS}/podinfo`]
    await page.getByRole('alert').filter({ hasText: '"podinfo" not found' }).waitFor()
    expect(await page.getByRole('table', { name: 'Leaf services' }).count()).toBe(1)
    setWeight(50)
    await page.getByRole('row', { name: 'podinfo-canary' }).filter({ hasText: '50' }).waitFor()
    expect(await page.getByRole('alert').count()).toBe(0)
  })

  test.each(['light', 'dark'] as const)('is readable in %s: its text stands out from its ground', async (scheme) => {
    await page.emulateMedia({ colorScheme: scheme })
    await page.goto(`${dashboard.url}/namespaces/nope`)
    await page.getByRole('alert').waitFor()
    const colours = await page.evaluate(
      '(({color, backgroundColor}) => [color, backgroundColor])(getComputedStyle(document.body))'
    )
    const [text = 0, ground = 0] = (colours as string[]).map((colour) => Number(/\d+/.exec(colour)?.[0]))
    expect(scheme === 'dark' ? text - ground : ground - text).toBeGreaterThan(150)
  })
})
