import { shortName, TYPE_ORDER } from './resource.ts'
import type { StatRow } from './stat.ts'

/** How rows are printed. */
export interface TableOptions {
  readonly output: 'table' | 'wide' | 'json'
  readonly allNamespaces: boolean
  /** Whether resources without a pod in the mesh are printed too. */
  readonly unmeshed: boolean
}

/** Spaces between columns. @see linkerd2 edge-26.8.3 viz/cmd/stat.go padding */
const PADDING = 3

/**
 * Prints rows as `linkerd stat` does: columns aligned right, names left; a table per type.
 * @returns the text; empty when there is no row
 * @see linkerd2 edge-26.8.3 viz/cmd/stat.go writeStatsToBuffer, stable-2.9.5 cli/cmd/stat.go for TrafficSplits
 */
export function statText(rows: readonly StatRow[], options: TableOptions): string {
  const shown = rows.filter((row) => options.unmeshed || row.pods === undefined || row.pods.meshed > 0)
  const groups = TYPE_ORDER.map((type) => sorted(shown.filter((row) => row.type === type))).filter(
    (group) => group.length > 0
  )
  if (options.output === 'json') return `${JSON.stringify(groups.flat().map(jsonRow), undefined, 2)}\n`
  const prefixed = groups.length > 1
  const named = (row: StatRow): string => (prefixed ? `${shortName(row.type)}/${row.name}` : row.name)
  const nameWidth = widest(['NAME', ...shown.map(named)])
  const namespaceWidth = widest(['NAMESPACE', ...shown.map((row) => row.namespace)])
  return groups
    .map((group) => {
      const lead = (namespace: string, name: string): readonly string[] => [
        ...(options.allNamespaces ? [namespace.padEnd(namespaceWidth)] : []),
        name.padEnd(nameWidth)
      ]
      const columns = columnsOf(group, options.output === 'wide')
      return alignRight([
        [...lead('NAMESPACE', 'NAME'), ...columns.map((column) => column.header)],
        ...group.map((row) => [...lead(row.namespace, named(row)), ...columns.map((column) => column.cell(row))])
      ])
    })
    .join('\n')
}

interface Column {
  readonly header: string
  readonly cell: (row: StatRow) => string
}

/** Figures of connections are not among the twin's metrics. */
const NO_DATA = '-'

function columnsOf(group: readonly StatRow[], wide: boolean): readonly Column[] {
  const type = group[0]?.type
  const connections = ['TCP_CONN', ...(wide ? ['READ_BYTES/SEC', 'WRITE_BYTES/SEC'] : [])]
  return [
    ...(type === 'pod' ? [{ header: 'STATUS', cell: (row: StatRow) => row.status ?? '' }] : []),
    ...(type === 'trafficsplit' ? splitColumns(group) : [{ header: 'MESHED', cell: meshedText }]),
    { header: 'SUCCESS', cell: successText },
    { header: 'RPS', cell: rateText },
    { header: 'LATENCY_P50', cell: (row) => latencyText(row.stats?.p50) },
    { header: 'LATENCY_P95', cell: (row) => latencyText(row.stats?.p95) },
    { header: 'LATENCY_P99', cell: (row) => latencyText(row.stats?.p99) },
    ...(type === 'trafficsplit' ? [] : connections.map((header) => ({ header, cell: () => NO_DATA })))
  ]
}

function splitColumns(group: readonly StatRow[]): readonly Column[] {
  const left = (header: string, cell: (row: StatRow) => string): Column => {
    const width = widest([header, ...group.map(cell)])
    return { header: header.padEnd(width), cell: (row) => cell(row).padEnd(width) }
  }
  return [
    left('APEX', (row) => row.split?.apex ?? ''),
    left('LEAF', (row) => row.split?.leaf ?? ''),
    { header: 'WEIGHT', cell: (row) => row.split?.weight ?? '' }
  ]
}

function meshedText({ pods }: StatRow): string {
  return pods === undefined ? NO_DATA : `${pods.meshed}/${pods.total}`
}

/** `99.50%`, or `-` where nothing was measured. */
export function successText({ stats }: StatRow): string {
  return stats === undefined ? NO_DATA : `${fixed(successShare(stats) * 100, 2)}%`
}

/** `10.0rps`, or `-` where nothing was measured. */
export function rateText({ stats, windowMs }: StatRow): string {
  return stats === undefined ? NO_DATA : `${fixed(perSecond(stats, windowMs), 1)}rps`
}

/** `12ms`, or `-` where nothing was measured. */
export function latencyText(latencyMs: number | undefined): string {
  return latencyMs === undefined ? NO_DATA : `${latencyMs}ms`
}

function successShare({ success, failure }: NonNullable<StatRow['stats']>): number {
  return success / (success + failure)
}

function perSecond({ success, failure }: NonNullable<StatRow['stats']>, windowMs: number): number {
  return (success + failure) / (windowMs / 1000)
}

/** As Go's `%.2f` prints: to the even neighbour where the value lies exactly between two, which only n/8 can. */
function fixed(value: number, digits: 1 | 2): string {
  const below = Math.floor(value * 10 ** digits)
  const between = Number.isInteger(value * 2 ** (digits + 1)) && value * 10 ** digits - below === 0.5
  return (between && below % 2 === 0 ? below / 10 ** digits : value).toFixed(digits)
}

/** Keys in the order of Linkerd's JSON; figures of connections are left out. */
function jsonRow(row: StatRow): Readonly<Record<string, unknown>> {
  const { stats } = row
  return {
    namespace: row.namespace,
    kind: row.type,
    name: row.name,
    success: stats === undefined ? null : successShare(stats),
    rps: stats === undefined ? null : perSecond(stats, row.windowMs),
    latency_ms_p50: stats?.p50 ?? null,
    latency_ms_p95: stats?.p95 ?? null,
    latency_ms_p99: stats?.p99 ?? null,
    ...row.split
  }
}

function sorted(rows: readonly StatRow[]): readonly StatRow[] {
  const key = ({ namespace, name, split }: StatRow): string =>
    `${namespace}/${name}${split === undefined ? '' : `/${split.leaf}`}`
  return rows.toSorted((one, two) => (key(one) < key(two) ? -1 : 1))
}

/** Go's text/tabwriter with AlignRight, the first column's left padding cut off. */
function alignRight(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) => widest(lines.map((line) => line[column] ?? '')))
  return lines
    .map((line) => line.map((cell, column) => cell.padStart((widths[column] ?? 0) + PADDING)).join(''))
    .map((line) => `${line.slice(PADDING)}\n`)
    .join('')
}

function widest(texts: readonly string[]): number {
  return Math.max(...texts.map((text) => text.length))
}
