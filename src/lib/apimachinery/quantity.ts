/** A resource quantity: `amount` in units of 10^-9, and the suffix family it is printed in. */
export interface Quantity {
  /** Value times 10^9, exact. */
  readonly nano: bigint
  readonly format: 'DecimalSI' | 'BinarySI' | 'DecimalExponent'
}

const NANO = 1_000_000_000n
const DECIMAL_EXPONENTS: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18
}
const BINARY_EXPONENTS: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 }
const SYNTAX = /^([+-]?)(\d*)(?:\.(\d*))?(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d+)?$/

/** What the API server says about a text that is no quantity. */
export const QUANTITY_SYNTAX_MESSAGE =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"

/**
 * Parses a quantity (`100m`, `1.5Gi`, `1e3`); numbers are taken as their decimal text. Fractions below 10^-9 are rounded up.
 * @param input - JSON string or number
 * @returns undefined when it is no quantity ({@link QUANTITY_SYNTAX_MESSAGE})
 */
export function parseQuantity(input: unknown): Quantity | undefined {
  if (typeof input !== 'string' && typeof input !== 'number') return undefined
  const match = SYNTAX.exec(String(input))
  if (match === null) return undefined
  const [, sign = '', whole = '', fraction = '', suffix = ''] = match
  if (whole === '' && fraction === '') return undefined
  const scale = suffixScale(suffix)
  if (scale === undefined) return undefined
  const digits = BigInt(`${whole}${fraction}`)
  const scaled = ceilScale(digits * scale.factor * NANO, fraction.length - scale.exponent)
  return { nano: sign === '-' ? -scaled : scaled, format: scale.format }
}

function suffixScale(suffix: string): { factor: bigint; exponent: number; format: Quantity['format'] } | undefined {
  const binary = BINARY_EXPONENTS[suffix]
  if (binary !== undefined) return { factor: 1n << BigInt(binary), exponent: 0, format: 'BinarySI' }
  const decimal = DECIMAL_EXPONENTS[suffix]
  if (decimal !== undefined) return { factor: 1n, exponent: decimal, format: 'DecimalSI' }
  const exponent = Number(suffix.slice(1))
  if (!Number.isInteger(exponent) || Math.abs(exponent) > 100) return undefined
  return { factor: 1n, exponent, format: 'DecimalExponent' }
}

/** value / 10^places, rounded away from zero. */
function ceilScale(value: bigint, places: number): bigint {
  if (places <= 0) return value * 10n ** BigInt(-places)
  const divisor = 10n ** BigInt(places)
  return value % divisor === 0n ? value / divisor : value / divisor + 1n
}

/**
 * The canonical text of a quantity: no fraction, the largest suffix that keeps it exact.
 * @param quantity - a parsed quantity
 */
export function formatQuantity(quantity: Quantity): string {
  const { nano, format } = quantity
  if (nano === 0n) return '0'
  if (format === 'BinarySI' && nano % NANO === 0n && absolute(nano) >= 1024n * NANO) return binaryText(nano / NANO)
  return decimalText(nano, format === 'DecimalExponent')
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value
}

function binaryText(value: bigint): string {
  const suffixes = Object.keys(BINARY_EXPONENTS)
  let power = 0
  let rest = value
  while (power < suffixes.length && rest % 1024n === 0n) {
    rest /= 1024n
    power += 1
  }
  return `${rest}${power === 0 ? '' : (suffixes[power - 1] ?? '')}`
}

function decimalText(nano: bigint, asExponent: boolean): string {
  let exponent = -9
  let rest = nano
  const maxExponent = asExponent ? Number.POSITIVE_INFINITY : 18
  while (rest % 1000n === 0n && exponent < maxExponent) {
    rest /= 1000n
    exponent += 3
  }
  if (asExponent) return exponent === 0 ? String(rest) : `${rest}e${exponent}`
  const suffix = Object.entries(DECIMAL_EXPONENTS).find(([, value]) => value === exponent)?.[0] ?? ''
  return `${rest}${suffix}`
}

/**
 * The canonical text of a quantity given as text or number, or undefined when it is none.
 * @param input - JSON string or number
 */
export function canonicalQuantity(input: unknown): string | undefined {
  const quantity = parseQuantity(input)
  return quantity === undefined ? undefined : formatQuantity(quantity)
}

/**
 * -1, 0 or 1.
 * @param left - a quantity
 * @param right - a quantity
 */
export function compareQuantities(left: Quantity, right: Quantity): number {
  if (left.nano < right.nano) return -1
  return left.nano > right.nano ? 1 : 0
}

/**
 * A quantity as a number of whole units, for arithmetic that needs no exactness.
 * @param quantity - a quantity
 */
export function quantityNumber(quantity: Quantity): number {
  return Number(quantity.nano) / 1e9
}

/**
 * A quantity in thousandths, rounded up (`Quantity.MilliValue`).
 * @param quantity - a quantity
 */
export function quantityMilliValue(quantity: Quantity): number {
  return Number(ceilScale(absolute(quantity.nano), 6)) * (quantity.nano < 0n ? -1 : 1)
}

/**
 * The sum of two quantities, in the format of the first that is not zero.
 * @param left - a quantity
 * @param right - a quantity
 */
export function addQuantities(left: Quantity, right: Quantity): Quantity {
  return { nano: left.nano + right.nano, format: left.nano === 0n ? right.format : left.format }
}
