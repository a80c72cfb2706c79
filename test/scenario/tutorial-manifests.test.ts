/** The manifests of the scenarios against those of the tutorials they come from: same names, images, ports and numbers. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'

const projectRoot = resolve(import.meta.dirname, '..', '..')
const seeds = join(process.env['TWIN_SHARED'] ?? resolve(projectRoot, '..', 'shared'), 'conformance', 'seeds')
const present = existsSync(seeds)
if (!present) console.warn('SKIPPED 4 comparisons: the transcribed tutorials are not there')

interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec?: Readonly<Record<string, unknown>>
}

function objects(path: string): Manifest[] {
  return parseAllDocuments(readFileSync(path, 'utf8')).flatMap((document) => {
    const value = document.toJS() as Manifest | null
    return value === null ? [] : [value]
  })
}

function ours(path: string): Manifest[] {
  return objects(join(projectRoot, 'scenarios', path))
}

function tutorial(number: string, file: string): string {
  const folder = readdirSync(seeds).find((name) => name.startsWith(`${number}_`)) ?? ''
  return join(seeds, folder, file)
}

/** What is the same: everything but what a newer server would fill in or refuse. */
function specOf(manifests: readonly Manifest[], kind: string, name: string): unknown {
  const found = manifests.find((one) => one.kind === kind && one.metadata.name === name)
  if (found === undefined) throw new Error(`no ${kind} ${name}`)
  return found.spec
}

test.skipIf(!present)('the Canary of the Linkerd tutorial', () => {
  const [theirs] = objects(tutorial('000', '08-canary.yaml'))
  expect(specOf(ours('linkerd-tutorial/manifests/canary.yaml'), 'Canary', 'podinfo')).toEqual(theirs?.spec)
})

test.skipIf(!present)('the Canary of the Flux guide, and with its 404s metric', () => {
  const [theirs] = objects(tutorial('001', '11-podinfo-canary.yaml'))
  expect(specOf(ours('flux-guide/canary.yaml'), 'Canary', 'podinfo')).toEqual(theirs?.spec)
  const fragment = parse(readFileSync(tutorial('001', '21-canary-404s-metric.fragment.yaml'), 'utf8')) as {
    analysis: { metrics: unknown[] }
  }
  const with404s = specOf(ours('flux-guide/canary-404s.yaml'), 'Canary', 'podinfo') as typeof fragment
  const base = specOf(objects(tutorial('001', '11-podinfo-canary.yaml')), 'Canary', 'podinfo') as typeof fragment
  const { metrics } = base.analysis
  expect(with404s.analysis.metrics).toEqual([...metrics, ...fragment.analysis.metrics])
  expect({ ...with404s, analysis: { ...with404s.analysis, metrics } }).toEqual(theirs?.spec)
})

test.skipIf(!present)('podinfo and the load tester of the Flux guide', () => {
  const rendered = join(seeds, 'referenced', 'flagger-1.33.0')
  const podinfo = objects(join(rendered, 'rendered-podinfo.yaml'))
  const tester = objects(join(rendered, 'rendered-tester.yaml'))
  expect(specOf(ours('flux-guide/podinfo/deployment.yaml'), 'Deployment', 'podinfo')).toEqual(
    specOf(podinfo, 'Deployment', 'podinfo')
  )
  expect(specOf(ours('flux-guide/podinfo/hpa.yaml'), 'HorizontalPodAutoscaler', 'podinfo')).toEqual(
    specOf(podinfo, 'HorizontalPodAutoscaler', 'podinfo')
  )
  for (const kind of ['Deployment', 'Service']) {
    const name = 'flagger-loadtester'
    expect(specOf(ours(`flux-guide/tester/${kind.toLowerCase()}.yaml`), kind, name)).toEqual(specOf(tester, kind, name))
  }
})

test.skipIf(!present)('the demo of the Linkerd tutorial', () => {
  const theirs = objects(join(seeds, 'referenced', 'run.linkerd.io', 'flagger.yml'))
  const mine = ours('linkerd-tutorial/manifests/app.yaml')
  for (const { kind, metadata } of theirs) {
    expect([kind, metadata.name, specOf(mine, kind, metadata.name)]).toEqual([
      kind,
      metadata.name,
      specOf(theirs, kind, metadata.name)
    ])
  }
})
