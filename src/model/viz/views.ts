import { bodyOf, LinkerdError, together, type VizPlan } from './ask.ts'
import type { StatRequest } from './request.ts'
import { apiPath, type ResourceType } from './resource.ts'
import { type StatRow, statPlan } from './stat.ts'
import { latencyText, rateText, successText } from './table.ts'

/** Window of the dashboard's figures. */
const WINDOW = { window: '1m', windowMs: 60_000 } as const

/** One cell of a dashboard's table. */
export interface ViewCell {
  readonly text: string
  readonly href?: string
  /** How good a success rate is; the text says it too. */
  readonly tone?: 'good' | 'fair' | 'bad'
  /** Percent shown as a bar beside the text. */
  readonly percent?: number
}

/** One table of a dashboard's page; the first cell of a row names it. */
export interface ViewTable {
  readonly caption: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly ViewCell[])[]
  /** What stands there when there is no row. */
  readonly empty: string
}

/** What a page of the dashboard shows. */
export interface View {
  readonly heading: string
  /** Pages above this one, outermost first. */
  readonly trail: readonly { readonly text: string; readonly href: string }[]
  readonly tables: readonly ViewTable[]
}

/** The plan behind a path of the dashboard, as Linkerd's web names its pages; undefined where there is no such page. */
export function viewOf(path: string): VizPlan<View> | undefined {
  const words = path.split('/').filter((word) => word !== '')
  if (!words.every((word) => isDecodable(word))) return undefined
  const [first, namespace, kind, name, ...more] = words.map((word) => decodeURIComponent(word))
  if (first === undefined) return namespacesView()
  if (first !== 'namespaces' || more.length > 0) return undefined
  if (namespace === undefined) return namespacesView()
  if (kind === undefined) return namespaceView(namespace)
  if (kind === 'trafficsplits' && name !== undefined) return splitView(namespace, name)
  return undefined
}

function isDecodable(word: string): boolean {
  return !/%(?![0-9a-f]{2})/i.test(word) && !/%[89a-f]/i.test(word)
}

function* namespacesView(): VizPlan<View> {
  const rows = yield* statPlan([requestOf('namespace', '', '')])
  return {
    heading: 'Namespaces',
    trail: [],
    tables: [
      {
        caption: 'Namespaces',
        columns: ['Namespace', 'Meshed', ...FIGURE_COLUMNS],
        rows: byName(rows).map((row) => [
          { text: row.name, href: namespaceHref(row.name) },
          meshedCell(row),
          ...figureCells(row)
        ]),
        empty: 'no namespaces'
      }
    ]
  }
}

function* namespaceView(namespace: string): VizPlan<View> {
  const [found] = yield [{ ask: 'api', path: apiPath('namespace', '', namespace) }]
  bodyOf(found)
  const requests = (['deployment', 'trafficsplit'] as const).map((type) => requestOf(type, namespace, ''))
  const [deployments = [], splits = []] = yield* together(requests.map((request) => statPlan([request])))
  return {
    heading: `Namespace ${namespace}`,
    trail: [{ text: 'Namespaces', href: '/namespaces' }],
    tables: [
      {
        caption: 'Deployments',
        columns: ['Deployment', 'Meshed', ...FIGURE_COLUMNS],
        rows: byName(deployments).map((row) => [{ text: row.name }, meshedCell(row), ...figureCells(row)]),
        empty: 'no deployments'
      },
      {
        caption: 'Traffic splits',
        columns: ['Traffic split', 'Apex', 'Leaf', 'Weight', ...FIGURE_COLUMNS],
        rows: byName(splits).map((row) => [
          { text: row.name, href: `${namespaceHref(namespace)}/trafficsplits/${encodeURIComponent(row.name)}` },
          { text: row.split?.apex ?? '' },
          { text: row.split?.leaf ?? '' },
          weightCell(row, splits),
          ...figureCells(row)
        ]),
        empty: 'no traffic splits'
      }
    ]
  }
}

function* splitView(namespace: string, name: string): VizPlan<View> {
  const leaves = byName(yield* statPlan([requestOf('trafficsplit', namespace, name)]))
  const [first] = leaves
  if (first?.split === undefined) throw new LinkerdError(`trafficsplit "${name}" has no backends`, 404)
  return {
    heading: `Traffic split ${namespace}/${name}`,
    trail: [
      { text: 'Namespaces', href: '/namespaces' },
      { text: namespace, href: namespaceHref(namespace) }
    ],
    tables: [
      {
        caption: 'Apex service',
        columns: ['Apex', 'Success rate', 'RPS'],
        rows: [[{ text: first.split.apex }, ...figureCells(apexOf(leaves, first)).slice(0, 2)]],
        empty: ''
      },
      {
        caption: 'Leaf services',
        columns: ['Leaf', 'Weight', ...FIGURE_COLUMNS],
        rows: leaves.map((row) => [{ text: row.split?.leaf ?? '' }, weightCell(row, leaves), ...figureCells(row)]),
        empty: ''
      }
    ]
  }
}

const FIGURE_COLUMNS = ['Success rate', 'RPS', 'P50 latency', 'P95 latency', 'P99 latency'] as const

function requestOf(type: ResourceType, namespace: string, name: string): StatRequest {
  return { resource: { type, namespace, name }, ...WINDOW }
}

/** Requests of all leaves together. Latencies of leaves cannot be added up: the apex has none. */
function apexOf(leaves: readonly StatRow[], first: StatRow): StatRow {
  const { stats: _own, ...apex } = first
  const measured = leaves.flatMap((row) => row.stats ?? [])
  if (measured.length === 0) return apex
  const sum = (key: 'success' | 'failure'): number => measured.reduce((total, stats) => total + stats[key], 0)
  return { ...apex, stats: { success: sum('success'), failure: sum('failure'), p50: 0, p95: 0, p99: 0 } }
}

function figureCells(row: StatRow): readonly ViewCell[] {
  const { stats } = row
  const latencies = [stats?.p50, stats?.p95, stats?.p99].map((latencyMs) => ({ text: latencyText(latencyMs) }))
  if (stats === undefined) return [{ text: successText(row) }, { text: rateText(row) }, ...latencies]
  const share = stats.success / (stats.success + stats.failure)
  const tone = share >= 0.99 ? 'good' : share >= 0.95 ? 'fair' : 'bad'
  return [{ text: successText(row), tone }, { text: rateText(row) }, ...latencies]
}

function meshedCell({ pods }: StatRow): ViewCell {
  return { text: pods === undefined ? '-' : `${pods.meshed}/${pods.total}` }
}

function weightCell(row: StatRow, rows: readonly StatRow[]): ViewCell {
  const weight = weightOf(row)
  const total = rows.filter((one) => one.name === row.name).reduce((sum, one) => sum + weightOf(one), 0)
  return { text: row.split?.weight ?? '', ...(total > 0 ? { percent: Math.round((weight / total) * 1000) / 10 } : {}) }
}

/** Weights are whole numbers, in `v1alpha1` quantities such as `900m`. */
function weightOf({ split }: StatRow): number {
  const text = split?.weight ?? '0'
  return text.endsWith('m') ? Number(text.slice(0, -1)) / 1000 : Number(text)
}

function byName(rows: readonly StatRow[]): readonly StatRow[] {
  const key = ({ name, split }: StatRow): string => `${name}/${split?.leaf ?? ''}`
  return rows.toSorted((one, two) => (key(one) < key(two) ? -1 : 1))
}

function namespaceHref(namespace: string): string {
  return `/namespaces/${encodeURIComponent(namespace)}`
}
