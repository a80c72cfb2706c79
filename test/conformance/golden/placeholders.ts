import type { GoldenTrace } from './case.ts'

const ADDRESS = /\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b/g

/**
 * Replaces what differs from run to run by placeholders numbered by first appearance (FORMAT.md section 5), and sorts
 * the keys of every object.
 * @param cookies - the random cookie values of the run
 */
export function withPlaceholders(trace: GoldenTrace, cookies: ReadonlySet<string>): GoldenTrace {
  const numbers = {
    hash: new Map<string, number>(),
    checksum: new Map<string, number>(),
    cookie: new Map<string, number>()
  }
  const numbered = (kind: keyof typeof numbers, text: string): string => {
    const known = numbers[kind]
    if (!known.has(text)) known.set(text, known.size + 1)
    return `<${kind}:${known.get(text) ?? 0}>`
  }
  const pattern = cookies.size === 0 ? undefined : new RegExp([...cookies].join('|'), 'g')
  const visitText = (text: string, key: string): string => {
    if (key === 'lastAppliedSpec' || key === 'lastPromotedSpec') return text === '' ? text : numbered('hash', text)
    if (key === 'checksum') return numbered('checksum', text)
    if (key === 'flagger-id') return '<flagger-id>'
    if (key === 'timestamp') return '<time>'
    const addressed = text.includes('.') ? text.replaceAll(ADDRESS, '<ip>') : text
    return pattern === undefined ? addressed : addressed.replaceAll(pattern, (value) => numbered('cookie', value))
  }
  const visit = (value: unknown, key: string): unknown => {
    if (Array.isArray(value)) return value.map((entry) => visit(entry, key))
    if (typeof value === 'string') return visitText(value, key)
    if (typeof value !== 'object' || value === null) return value
    const map = value as Readonly<Record<string, unknown>>
    const result: Record<string, unknown> = {}
    for (const name of Object.keys(map).sort()) if (map[name] !== undefined) result[name] = visit(map[name], name)
    return result
  }
  const ticks = trace.ticks.map((tick) => ({
    n: tick.n,
    records: visit(tick.records, '') as GoldenTrace['ticks'][number]['records'],
    ...(tick.after === undefined ? {} : { after: visit(tick.after, '') as Record<string, unknown> }),
    ...(tick.between === undefined
      ? {}
      : { between: visit(tick.between, '') as GoldenTrace['ticks'][number]['records'] })
  }))
  const { case: id, ticks: _ticks, ...rest } = trace
  return { case: id, ticks, ...(visit(rest, '') as Omit<GoldenTrace, 'case' | 'ticks'>) }
}
