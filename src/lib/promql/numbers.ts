/** A sum with compensation for lost digits. @see Prometheus promql/functions.go kahanSumInc, v2.55.1 */
export class KahanSum {
  sum = 0
  compensation = 0

  /** Adds a value. */
  add(value: number): void {
    const total = this.sum + value
    if (total === Infinity || total === -Infinity) this.compensation = 0
    else if (Math.abs(this.sum) >= Math.abs(value)) this.compensation += this.sum - total + value
    else this.compensation += value - total + this.sum
    this.sum = total
  }

  /** The sum so far. */
  get value(): number {
    return Number.isFinite(this.sum) ? this.sum + this.compensation : this.sum
  }
}

/** A mean that sums directly and turns incremental when the sum would overflow. @see promql/engine.go, v3.14.0 */
export class KahanMean {
  private readonly kahan = new KahanSum()
  private count = 0
  private incremental = false

  /** Adds a value. */
  add(value: number): void {
    this.count++
    if (!this.incremental) {
      const { sum, compensation } = this.kahan
      this.kahan.add(value)
      if (this.count === 1 || Number.isFinite(this.kahan.sum) || Number.isNaN(this.kahan.sum)) return
      this.incremental = true
      this.kahan.sum = sum / (this.count - 1)
      this.kahan.compensation = compensation / (this.count - 1)
    }
    const weight = (this.count - 1) / this.count
    this.kahan.sum *= weight
    this.kahan.compensation *= weight
    this.kahan.add(value / this.count)
  }

  /** The mean so far. */
  get value(): number {
    const { sum, compensation } = this.kahan
    if (!Number.isFinite(sum)) return this.incremental ? sum : sum / this.count
    return this.incremental ? sum + compensation : sum / this.count + compensation / this.count
  }
}

/** Go's math.Pow where JavaScript differs: 1 to any power is 1, -1 to an infinite power is 1. */
export function power(base: number, exponent: number): number {
  if (base === 1) return 1
  if (base === -1 && (exponent === Infinity || exponent === -Infinity)) return 1
  return base ** exponent
}

/** Order of values with NaN before all others. */
function compareValues(left: number, right: number): number {
  const leftNaN = Number.isNaN(left)
  const rightNaN = Number.isNaN(right)
  if (leftNaN || rightNaN) return leftNaN === rightNaN ? 0 : leftNaN ? -1 : 1
  return left - right || (left < right ? -1 : left > right ? 1 : 0)
}

/** φ-quantile of values by linear interpolation. @see promql/quantile.go quantile, v2.55.1 */
export function quantileOf(phi: number, unsorted: readonly number[]): number {
  if (unsorted.length === 0 || Number.isNaN(phi)) return Number.NaN
  if (phi < 0) return -Infinity
  if (phi > 1) return Infinity
  const values = [...unsorted].sort(compareForSort)
  const rank = phi * (values.length - 1)
  const lower = Math.max(0, Math.floor(rank))
  const upper = Math.min(values.length - 1, lower + 1)
  const weight = rank - Math.floor(rank)
  return (values[lower] ?? 0) * (1 - weight) + (values[upper] ?? 0) * weight
}

/** {@link compareValues} that survives infinite differences (Infinity - Infinity is NaN). */
export function compareForSort(left: number, right: number): number {
  if (left === right) return 0
  return compareValues(left, right)
}

/** A float as Go's %g prints it. */
export function formatG(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  const magnitude = Math.abs(value)
  if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e21)) return exponentForm(value)
  return Object.is(value, -0) ? '-0' : plainForm(value)
}

/** A float in Go's shortest `f` form, without an exponent. */
export function plainForm(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  if (Object.is(value, -0)) return '-0'
  const text = String(value)
  const match = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text)
  if (match === null) return text
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = match
  const digits = whole + fraction
  const point = whole.length + Number(exponentText)
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  if (point >= digits.length) return sign + digits + '0'.repeat(point - digits.length)
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}

/** A float in Go's shortest `e` form, at least two digits of exponent. */
export function exponentForm(value: number): string {
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
}
