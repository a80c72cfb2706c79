import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEngine } from '../../../src/lib/promql/index.ts'
import { Tsdb } from '../../../src/lib/tsdb/index.ts'
import {
  APP_METRICS_JOB,
  createScraper,
  type DiscoveredPod,
  LINKERD_PROXY_JOB,
  relabel,
  type Scraper
} from '../../../src/model/scrape/index.ts'
import { LabelRow } from '../../../src/model/scrape/label-row.ts'
import { planRelabelling } from '../../../src/model/scrape/relabel-plan.ts'
import type { RelabelRule } from '../../../src/model/scrape/relabel.ts'

function proxyPod(name: string, ip: string): DiscoveredPod {
  return {
    metadata: {
      name,
      namespace: 'test',
      labels: { app: 'podinfo', 'linkerd.io/control-plane-ns': 'linkerd', 'linkerd.io/proxy-deployment': 'podinfo' }
    },
    spec: {
      containers: [
        { name: 'podinfod', ports: [{ name: 'http', containerPort: 9898 }] },
        { name: 'linkerd-proxy', ports: [{ name: 'linkerd-admin', containerPort: 4191 }] }
      ]
    },
    status: { phase: 'Running', podIP: ip }
  }
}

/** Runs the scraper until a time, answering each scrape. */
function run(scraper: Scraper, untilMs: number, answer: (nowMs: number) => string | undefined): number[] {
  const scrapes: number[] = []
  for (;;) {
    const nowMs = scraper.nextDueMs()
    if (nowMs === undefined || nowMs > untilMs) return scrapes
    for (const task of scraper.tick(nowMs)) {
      scrapes.push(task.scheduledMs)
      const body = answer(nowMs)
      if (body === undefined) scraper.finish(task, { ok: false, error: 'connection refused', durationMs: 1 })
      else scraper.finish(task, { ok: true, body, contentType: 'text/plain', durationMs: 3 })
    }
  }
}

function valueAt(db: Tsdb, query: string, timeMs: number): number | undefined {
  const outcome = createEngine({ db }).instant(query, timeMs)
  return outcome.ok && outcome.value.type === 'vector' ? outcome.value.elements[0]?.value : undefined
}

describe('createScraper', () => {
  it('finds a new pod within discovery, reload and phase, then keeps its phase', () => {
    const scraper = createScraper({ db: new Tsdb(), configs: [LINKERD_PROXY_JOB], seed: 3 })
    scraper.setPods([proxyPod('a', '10.0.0.1')], 1_000_000)
    const scrapes = run(scraper, 1_100_000, () => 'x 1\n')
    expect(scrapes[0]).toBeGreaterThanOrEqual(1_000_000)
    expect(scrapes[0]).toBeLessThanOrEqual(1_020_000)
    expect(new Set(scrapes.map((time) => time % 10_000)).size).toBe(1)
    expect(scraper.targets()[0]?.target).toMatchObject({
      url: 'http://10.0.0.1:4191/metrics',
      labels: { deployment: 'podinfo', pod: 'a' }
    })
  })

  it('marks a series stale when a scrape no longer has it, and all of them when a scrape fails', () => {
    const db = new Tsdb()
    const scraper = createScraper({ db, configs: [LINKERD_PROXY_JOB], seed: 3 })
    scraper.setPods([proxyPod('a', '10.0.0.1')], 0)
    run(scraper, 40_000, () => 'x 1\ny 2\n')
    const [gone] = run(scraper, 50_000, () => 'x 1\n')
    expect(valueAt(db, 'y', gone ?? 0)).toBeUndefined()
    expect(valueAt(db, 'x', gone ?? 0)).toBe(1)
    const [failed] = run(scraper, 60_000, () => undefined)
    expect(valueAt(db, 'x', failed ?? 0)).toBeUndefined()
    expect(valueAt(db, 'up', failed ?? 0)).toBe(0)
  })

  it('writes the marker of a removed target late, dated at the scrape it missed', () => {
    const db = new Tsdb()
    const scraper = createScraper({ db, configs: [LINKERD_PROXY_JOB], seed: 3 })
    scraper.setPods([proxyPod('a', '10.0.0.1')], 0)
    const last = run(scraper, 60_000, () => 'x 1\n').at(-1) ?? 0
    scraper.setPods([], last + 1)
    run(scraper, last + 20_000, () => 'x 1\n')
    expect(valueAt(db, 'x', last + 19_000)).toBe(1)
    run(scraper, last + 60_000, () => 'x 1\n')
    expect(scraper.targets()).toHaveLength(0)
    expect(valueAt(db, 'x', last + 60_000)).toBeUndefined()
    expect(scraper.nextDueMs()).toBeUndefined()
  })

  it('the first value of two in one body stands; a clash with a target label is renamed', () => {
    const db = new Tsdb()
    const scraper = createScraper({ db, configs: [LINKERD_PROXY_JOB], seed: 3 })
    scraper.setPods([proxyPod('a', '10.0.0.1')], 0)
    const last = run(scraper, 30_000, () => 'x 1\nx 2\nz{pod="mine"} 3\n').at(-1) ?? 0
    expect(valueAt(db, 'x', last)).toBe(1)
    expect(valueAt(db, 'z{pod="a",exported_pod="mine"}', last)).toBe(3)
    expect(valueAt(db, 'scrape_samples_scraped', last)).toBe(3)
  })

  it('scrapes app metrics by annotation', () => {
    const scraper = createScraper({ db: new Tsdb(), configs: [APP_METRICS_JOB], seed: 1 })
    const pod = proxyPod('a', '10.0.0.1')
    const annotations = { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9797' }
    scraper.setPods([{ ...pod, metadata: { ...pod.metadata, annotations } }], 0)
    run(scraper, 30_000, () => 'x 1\n')
    expect(scraper.targets().map(({ target }) => target.url)).toEqual(['http://10.0.0.1:9797/metrics'])
    expect(scraper.targets()[0]?.target.labels).toMatchObject({
      kubernetes_namespace: 'test',
      kubernetes_pod_name: 'a',
      app: 'podinfo'
    })
  })
})

describe('a pod that changes', () => {
  it('stays the target it was where the change makes no other, what is dropped shows the pod as it is', () => {
    const scraper = createScraper({ db: new Tsdb(), configs: [LINKERD_PROXY_JOB], seed: 1 })
    const pod = (ready: string): DiscoveredPod => {
      const made = proxyPod('a', '10.0.0.1')
      return { ...made, status: { ...made.status, conditions: [{ type: 'Ready', status: ready }] } }
    }
    scraper.setPods([pod('False')], 0)
    scraper.tick(20_000)
    const [before] = scraper.targets()
    scraper.setPods([pod('True')], 20_000)
    scraper.tick(40_000)
    expect(scraper.targets().map(({ target }) => target)).toEqual([before?.target])
    expect(scraper.droppedTargets().map(({ discoveredLabels }) => discoveredLabels)).toMatchObject([
      { __meta_kubernetes_pod_ready: 'true' }
    ])
  })
})

describe('relabel', () => {
  it.each([
    ['replace', { sourceLabels: ['a'], regex: '(.)(.)', replacement: '$2$1', targetLabel: 'b' }, { a: 'xy', b: 'yx' }],
    ['replace without match', { sourceLabels: ['a'], regex: 'z', targetLabel: 'b' }, { a: 'xy' }],
    ['keep', { sourceLabels: ['a'], regex: 'z', action: 'keep' as const }, undefined],
    ['drop', { sourceLabels: ['a'], regex: 'xy', action: 'drop' as const }, undefined],
    ['labelmap', { regex: '(a)', replacement: 'm_$1', action: 'labelmap' as const }, { a: 'xy', m_a: 'xy' }],
    ['labeldrop', { regex: 'a', action: 'labeldrop' as const }, {}],
    ['uppercase', { sourceLabels: ['a'], targetLabel: 'a', action: 'uppercase' as const }, { a: 'XY' }],
    ['empty value removes', { sourceLabels: ['none'], targetLabel: 'a' }, {}]
  ])('%s', (_, rule, wanted) => {
    expect(relabel({ a: 'xy' }, [rule])).toEqual(wanted)
  })
})

describe('planRelabelling', () => {
  const NAMES = ['a', 'b', 'pod_label_x', 'pod_label_y', '__tmp_a', '__meta_m', 'instance', 'job'] as const
  const record = fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom('', 'x', 'y;z', '$1'), { maxKeys: 6 })
  const source = fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 2 })
  const rule: fc.Arbitrary<RelabelRule> = fc.record(
    {
      sourceLabels: source,
      targetLabel: fc.constantFrom('a', 'new', 'pod_label_x', 'x${1}'),
      regex: fc.constantFrom('pod_label_(.+)', '(.*)', 'x|y', '__tmp_(a)'),
      replacement: fc.constantFrom('$1', 'fixed', 'm_$1_n', ''),
      separator: fc.constantFrom('', '-'),
      action: fc.constantFrom('replace', 'keep', 'drop', 'keepequal', 'labelmap', 'labeldrop', 'labelkeep', 'uppercase')
    },
    { requiredKeys: ['sourceLabels', 'targetLabel'] }
  )
  it('ignores only values that neither drop a row nor make another target of it (seed 42)', () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 5 }), record, (rules, labels) => {
        const row = LabelRow.of(labels)
        const plan = planRelabelling(rules, { job: 'own', __own: 'o' }, row)
        const target = (of: LabelRow): unknown => {
          const made = plan.drops(of) ? undefined : plan.apply(of)
          return made && [made.names, made.values, made.get('__tmp_a'), made.parameters]
        }
        const ignored = row.values.map((value, place) => (value !== '' && plan.ignores(place) ? 'other' : value))
        expect(target(new LabelRow(row.list, ignored))).toEqual(target(row))
      }),
      { seed: 42, numRuns: 500 }
    )
  })

  it('makes of a row what relabelling its labels makes of them, whichever row it was made for (seed 42)', () => {
    fc.assert(
      fc.property(
        fc.array(rule, { maxLength: 5 }),
        record,
        fc.array(fc.constantFrom('p', 'q'), { minLength: 6 }),
        (rules, labels, others) => {
          const row = LabelRow.of(labels)
          const sample = new LabelRow(
            row.list,
            row.values.map((value, index) => (value === '' ? '' : (others[index] ?? '')))
          )
          const plan = planRelabelling(rules, { job: 'own', __own: 'o' }, sample)
          const found = plan.drops(row) ? undefined : plan.apply(row)
          const made =
            found === undefined ? undefined : Object.fromEntries(found.all.map((name) => [name, found.get(name)]))
          expect(made).toEqual(relabel({ job: 'own', __own: 'o', ...labels }, rules))
        }
      ),
      { seed: 42, numRuns: 500 }
    )
  })
})
