/** From this decimal exponent on Go's `%v` prints a float in exponent form. */
const EXPONENT_FORM_FROM = 6

/**
 * Prints a float as Go's `%v`: the shortest digits, exponent form from 1e+06 on and below 1e-04.
 * @see Go strconv.FormatFloat(x, 'g', -1, 64)
 */
export function formatGoFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [mantissa = '', exponentText = '0'] = value.toExponential().split('e')
  const exponent = Number(exponentText)
  if (exponent >= -4 && exponent < EXPONENT_FORM_FROM) return String(value)
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}

/**
 * Prints a float as Go's `%.2f`: an exact tie (only eighths have one) goes to the even digit.
 * @see Go strconv.FormatFloat(x, 'f', 2, 64)
 */
export function formatGoFixed2(value: number): string {
  if (!Number.isFinite(value)) return formatGoFloat(value)
  const eighths = Math.abs(value) * 8
  if (Number.isInteger(eighths) && eighths % 2 === 1) {
    const below = Math.floor(Math.abs(value) * 100)
    const cents = below % 2 === 0 ? below : below + 1
    return `${value < 0 ? '-' : ''}${(cents / 100).toFixed(2)}`
  }
  return value.toFixed(2)
}

/** Whole part of a product in single precision, as `int32(float32(count) * ratio)`. */
export function scaledDown(count: number, percent: number): number {
  const ratio = Math.fround(Math.fround(percent) / 100)
  return Math.trunc(Math.fround(Math.fround(count) * ratio))
}

/** Milliseconds as Go's Duration.Seconds: whole seconds plus the fraction, each rounded on its own. */
export function goSeconds(ms: number): number {
  return Math.trunc(ms / 1000) + (ms % 1000) / 1000
}

/** Quotes a text as Go's `%q`, for names (no control characters). */
export function quoteGo(text: string): string {
  return JSON.stringify(text)
}
