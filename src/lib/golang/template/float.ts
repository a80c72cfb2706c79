/**
 * A float as Go's `%g`: shortest digits, or so many of them.
 * @see Go strconv.FormatFloat 1.26
 */
export function formatShortest(value: number, precision?: number): string {
  if (!Number.isFinite(value)) return String(value)
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const digits = precision === undefined ? undefined : Math.max(1, precision)
  const [mantissa = '', exponentText = '0'] = value
    .toExponential(digits === undefined ? undefined : Math.min(100, digits - 1))
    .split('e')
  const exponent = Number(exponentText)
  const significant = trimmed(mantissa).replace(/[-.]/g, '').length
  // Without precision Go looks at six digits.
  const limit = digits === undefined ? 6 : digits > significant && significant > exponent ? significant : digits
  if (exponent < -4 || exponent >= limit) return withExponent(trimmed(mantissa), exponent)
  return trimmed(fixed(value, Math.max(0, significant - 1 - exponent)))
}

/** A float as Go's `%e`. */
export function formatExponent(value: number, precision: number): string {
  if (!Number.isFinite(value)) return String(value)
  const [mantissa = '', exponent = '0'] = value.toExponential(Math.min(100, precision)).split('e')
  return withExponent(Object.is(value, -0) ? `-${mantissa}` : mantissa, Number(exponent))
}

/** A float as Go's `%f`. */
export function formatFixed(value: number, precision: number): string {
  if (!Number.isFinite(value)) return String(value)
  return Object.is(value, -0) ? `-${fixed(0, precision)}` : fixed(value, precision)
}

/** A float as Go's `%x` without precision: a hexadecimal mantissa and a power of two. */
export function formatHexadecimal(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  let [rest, exponent] = [Math.abs(value), 0]
  if (rest === 0) return `${sign}0x0p+00`
  for (; rest >= 2; rest /= 2) exponent++
  for (; rest < 1; rest *= 2) exponent--
  let digits = ''
  for (rest = (rest - 1) * 16; rest > 0; rest = (rest % 1) * 16) digits += Math.floor(rest).toString(16)
  const power = `${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
  return `${sign}0x1${digits === '' ? '' : `.${digits}`}p${power}`
}

function fixed(value: number, precision: number): string {
  if (Math.abs(value) < 1e21) return value.toFixed(Math.min(100, precision))
  return `${BigInt(value).toString()}${precision > 0 ? `.${'0'.repeat(precision)}` : ''}`
}

function withExponent(mantissa: string, exponent: number): string {
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}

function trimmed(digits: string): string {
  return digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits
}
