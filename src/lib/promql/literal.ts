const DURATION = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/
const UNIT_SECONDS = [365 * 86_400, 7 * 86_400, 86_400, 3600, 60, 1, 0.001]

/** Seconds of a Prometheus duration (`1h30m`); undefined when it is none. @see prometheus/common model.ParseDuration */
export function durationSeconds(text: string): number | undefined {
  if (text === '0') return 0
  const parts = DURATION.exec(text)
  if (parts === null || text === '') return undefined
  let totalMs = 0
  for (let index = 0; index < UNIT_SECONDS.length; index++) {
    totalMs += Number(parts[index + 1] ?? 0) * Math.round((UNIT_SECONDS[index] ?? 0) * 1000)
  }
  return totalMs / 1000
}

/** A duration of ms in Prometheus' notation, `0s` for none. @see prometheus/common model.Duration.String */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s'
  let rest = Math.abs(ms)
  let text = ''
  const units: readonly (readonly [string, number, boolean])[] = [
    ['y', 31_536_000_000, true],
    ['w', 604_800_000, true],
    ['d', 86_400_000, false],
    ['h', 3_600_000, false],
    ['m', 60_000, false],
    ['s', 1000, false],
    ['ms', 1, false]
  ]
  for (const [unit, size, onlyWhole] of units) {
    if (onlyWhole && rest % size !== 0) continue
    const count = Math.floor(rest / size)
    if (count > 0) text += `${count}${unit}`
    rest -= count * size
  }
  return ms < 0 ? `-${text}` : text
}

/** Value of a PromQL number: decimal, hexadecimal, with underscores, Inf, NaN; undefined when it is none. */
export function numberValue(text: string): number | undefined {
  const plain = text.replaceAll('_', '')
  const lower = plain.toLowerCase()
  if (/^[+-]?inf(?:inity)?$/.test(lower)) return lower.startsWith('-') ? -Infinity : Infinity
  if (/^[+-]?nan$/.test(lower)) return Number.NaN
  if (/^[+-]?0x[0-9a-f]+$/.test(lower)) {
    const sign = lower.startsWith('-') ? -1 : 1
    return sign * Number(lower.replace(/^[+-]/, ''))
  }
  if (/^0[0-7]+$/.test(lower)) return Number.parseInt(lower, 8)
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/.test(lower)) return undefined
  return Number(lower)
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"'
}

/** Text of a quoted PromQL string whose escapes the lexer has checked. */
export function unquote(raw: string): string {
  const body = raw.slice(1, -1)
  if (raw.startsWith('`') || !body.includes('\\')) return body
  const bytes: number[] = []
  let text = ''
  const flush = (): void => {
    if (bytes.length > 0) text += Buffer.from(bytes.splice(0)).toString('utf8')
  }
  for (const part of body.matchAll(/\\(x[0-9a-fA-F]{2}|[0-7]{3}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)|([^\\]+)/gsu)) {
    const escape = part[1]
    if (escape !== undefined && /^(?:x|[0-7]{3})/.test(escape)) {
      // Byte escapes may spell one UTF-8 character together.
      bytes.push(escape.startsWith('x') ? Number.parseInt(escape.slice(1), 16) : Number.parseInt(escape, 8))
      continue
    }
    flush()
    if (escape === undefined) text += part[2] ?? ''
    else if (/^[uU]./.test(escape)) text += String.fromCodePoint(Number.parseInt(escape.slice(1), 16))
    else text += ESCAPES[escape] ?? escape
  }
  flush()
  return text
}
