import { METRIC_NAME, type Labels } from '../tsdb/index.ts'

/** One metric family to print. */
export interface MetricFamily {
  readonly name: string
  readonly help?: string
  readonly type?: 'counter' | 'gauge' | 'histogram' | 'summary' | 'untyped'
  readonly samples: readonly { readonly labels: Labels; readonly value: number; readonly timestampMs?: number }[]
}

/** A sample's value as Go's exposition library prints it. */
function formatSampleValue(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  if (Object.is(value, -0)) return '-0'
  const magnitude = Math.abs(value)
  if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e21)) {
    return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
  }
  // Go's %g switches to exponents at 21 digits, as JavaScript's own notation does.
  return String(value)
}

/** A series in exposition notation, labels in the order of their names. */
export function formatSeries(labels: Labels): string {
  const name = labels.metricName
  const pairs: string[] = []
  labels.names.forEach((label, index) => {
    if (label !== METRIC_NAME) pairs.push(`${label}="${escapeValue(labels.values[index] ?? '')}"`)
  })
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`
}

/** Prints families in the text format 0.0.4. @see prometheus/common expfmt/text_create.go */
export function printTextFormat(families: readonly MetricFamily[]): string {
  const lines: string[] = []
  for (const family of families) {
    if (family.help !== undefined) lines.push(`# HELP ${family.name} ${family.help.replace(/[\\\n]/g, escapeChar)}`)
    if (family.type !== undefined) lines.push(`# TYPE ${family.name} ${family.type}`)
    for (const { labels, value, timestampMs } of family.samples) {
      const time = timestampMs === undefined ? '' : ` ${timestampMs}`
      lines.push(`${formatSeries(labels)} ${formatSampleValue(value)}${time}`)
    }
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

function escapeChar(char: string): string {
  return char === '\n' ? '\\n' : `\\${char}`
}

function escapeValue(value: string): string {
  return value.replace(/[\\\n"]/g, escapeChar)
}
