/**
 * Formats values into a template as CEL's strings extension does (`"%s is %.2f".format([a, b])`).
 * @param template - text with `%s %d %f %e %b %o %x %X`, a precision `.n` before `f` and `e`, and `%%`
 * @param values - one per clause
 * @throws Error when a clause does not fit its value
 */
export function formatCelString(template: string, values: readonly unknown[]): string {
  let next = 0
  return template.replaceAll(/%(?:%|(?:\.\d+)?[a-zA-Z]|.|$)/g, (match) => {
    if (match === '%%') return '%'
    const clause = match.slice(-1)
    if (!/[a-zA-Z]/.test(clause))
      throw new Error(`could not parse formatting clause: unrecognized formatting clause "${clause}"`)
    if (next >= values.length) throw new Error(`index ${next} out of range`)
    const value = values[next]
    next += 1
    return formatClause(clause, value, match.includes('.') ? Number(match.slice(2, -1)) : 6)
  })
}

function formatClause(clause: string, value: unknown, precision: number): string {
  switch (clause) {
    case 's':
      return celText(value)
    case 'd':
      return decimal(value)
    case 'f':
      return fixed(value, precision)
    case 'e':
      return scientific(value, precision)
    case 'b':
      return typeof value === 'boolean' ? (value ? '1' : '0') : integer(value, 'b').toString(2)
    case 'o':
      return integer(value, 'o').toString(8)
    case 'x':
      return hexadecimal(value)
    case 'X':
      return hexadecimal(value).toUpperCase()
    default:
      throw new Error(`could not parse formatting clause: unrecognized formatting clause "${clause}"`)
  }
}

function integer(value: unknown, clause: string): bigint {
  if (typeof value === 'bigint') return value
  const unsigned = unsignedOf(value)
  if (unsigned !== undefined) return unsigned
  throw new Error(`error during formatting: only integers and unsigned integers can be formatted with %${clause}`)
}

/** The library boxes unsigned integers. */
function unsignedOf(value: unknown): bigint | undefined {
  const boxed = typeof value === 'object' && value !== null && 'value' in value ? value.value : undefined
  return typeof boxed === 'bigint' ? boxed : undefined
}

function decimal(value: unknown): string {
  if (typeof value === 'number' && !Number.isFinite(value)) return special(value)
  return integer(value, 'd').toString()
}

function special(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  return value > 0 ? 'Infinity' : '-Infinity'
}

function double(value: unknown, clause: string): number {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  const unsigned = unsignedOf(value)
  if (unsigned !== undefined) return Number(unsigned)
  throw new Error(
    `error during formatting: only doubles, integers and unsigned integers can be formatted with %${clause}`
  )
}

function fixed(value: unknown, precision: number): string {
  const number = double(value, 'f')
  return Number.isFinite(number) ? number.toFixed(Math.min(precision, 100)) : special(number)
}

function scientific(value: unknown, precision: number): string {
  const number = double(value, 'e')
  if (!Number.isFinite(number)) return special(number)
  return number.toExponential(Math.min(precision, 100)).replace(/e([+-])(\d)$/, 'e$10$2')
}

function hexadecimal(value: unknown): string {
  if (typeof value === 'string') return Buffer.from(value, 'utf8').toString('hex')
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  return integer(value, 'x').toString(16)
}

/**
 * A value as text, the way `%s` prints it.
 * @param value - any CEL value
 */
function celText(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return value
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : special(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8')
  if (Array.isArray(value)) return `[${value.map(celText).join(', ')}]`
  if (value instanceof Map) {
    const entries = [...(value as Map<unknown, unknown>)].map(([key, item]) => `${celText(key)}: ${celText(item)}`)
    return `{${entries.sort().join(', ')}}`
  }
  if (typeof value === 'object' && 'toISOString' in value && typeof value.toISOString === 'function') {
    return String(value.toISOString()).replace(/\.?0+Z$/, 'Z')
  }
  if (typeof value === 'object' && value.constructor === Object) return celText(new Map(Object.entries(value)))
  return typeof value === 'object' && 'name' in value && typeof value.name === 'string' ? value.name : String(value)
}
