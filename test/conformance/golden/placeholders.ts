import type { GoldenTrace } from './case.ts'

type Fields = Readonly<Record<string, unknown>>

const ADDRESS = /\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b/g

/**
 * Replaces what differs from run to run by placeholders, numbered by first appearance when the keys of every object are
 * sorted (FORMAT.md section 5). What holds nothing of that kind is shared with the trace.
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
    if (typeof value === 'string') return visitText(value, key)
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map((entry) => visit(entry, key))
    const map = value as Fields
    // Only where several texts may get a number does it matter which comes first.
    if (pattern !== undefined || map['lastPromotedSpec'] !== undefined) return visitSorted(map)
    let changed: Record<string, unknown> | undefined
    for (const name in map) changed = visitMember(map, changed, name, map[name])
    return changed ?? map
  }
  const visitSorted = (map: Fields): Fields => {
    let changed: Record<string, unknown> | undefined
    for (const name of Object.keys(map).sort()) changed = visitMember(map, changed, name, map[name])
    return changed ?? map
  }
  const visitMember = (
    map: Fields,
    changed: Record<string, unknown> | undefined,
    name: string,
    member: unknown
  ): Record<string, unknown> | undefined => {
    const visited = visit(member, name)
    if (visited === member && member !== undefined) return changed
    const copy = changed ?? { ...map }
    if (member === undefined) delete copy[name]
    else copy[name] = visited
    return copy
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
