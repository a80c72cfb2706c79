import { quote } from '../quote.ts'
import { formatExponent, formatFixed, formatHexadecimal, formatShortest } from './float.ts'
import { sortedEntries, type GoValue } from './value.ts'

interface Spec {
  readonly plus: boolean
  readonly minus: boolean
  readonly sharp: boolean
  readonly space: boolean
  readonly zero: boolean
  width: number | undefined
  precision: number | undefined
}

const PLAIN: Spec = {
  plus: false,
  minus: false,
  sharp: false,
  space: false,
  zero: false,
  width: undefined,
  precision: undefined
}

/** A value as `%v` prints it. */
export function printed(value: GoValue): string {
  return verbText('v', value, PLAIN)
}

/** Values with blanks between those of which neither is a text, as Go's Sprint. */
export function sprint(values: readonly GoValue[]): string {
  let result = ''
  for (const [index, value] of values.entries()) {
    if (index > 0 && value.type !== 'string' && values[index - 1]?.type !== 'string') result += ' '
    result += printed(value)
  }
  return result
}

/** Values with blanks between them and a line feed at the end, as Go's Sprintln. */
export function sprintln(values: readonly GoValue[]): string {
  return `${values.map(printed).join(' ')}\n`
}

/**
 * Prints values by a format.
 * @see Go fmt.Sprintf 1.26
 */
export function sprintf(format: string, values: readonly GoValue[]): string {
  const printer = new Printer(format, values)
  return printer.run()
}

class Printer {
  readonly #format: string
  readonly #values: readonly GoValue[]
  #at = 0
  #next = 0
  #reordered = false
  #goodIndex = true

  constructor(format: string, values: readonly GoValue[]) {
    this.#format = format
    this.#values = values
  }

  run(): string {
    let result = ''
    while (this.#at < this.#format.length) {
      const percent = this.#format.indexOf('%', this.#at)
      result += this.#format.slice(this.#at, percent < 0 ? undefined : percent)
      if (percent < 0) break
      this.#at = percent + 1
      result += this.#directive()
    }
    return result + this.#extra()
  }

  #directive(): string {
    this.#goodIndex = true
    let problems = ''
    const [flags = ''] = /^[-+# 0]*/.exec(this.#rest()) ?? []
    this.#at += flags.length
    const has = (flag: string): boolean => flags.includes(flag)
    const spec: Spec = { ...PLAIN, plus: has('+'), minus: has('-'), sharp: has('#'), space: has(' '), zero: has('0') }
    let afterIndex = this.#index()
    const width = this.#size(afterIndex)
    afterIndex = width.afterIndex
    spec.width = width.value === undefined ? undefined : Math.abs(width.value)
    const isLeft = spec.minus || (width.value ?? 0) < 0
    problems += width.isBad ? '%!(BADWIDTH)' : ''
    if (this.#rest().startsWith('.')) {
      this.#at++
      if (afterIndex) this.#goodIndex = false
      afterIndex = this.#index()
      const precision = this.#size(afterIndex)
      afterIndex = precision.afterIndex
      const isBad = precision.isBad || (precision.value ?? 0) < 0
      spec.precision = isBad ? undefined : (precision.value ?? 0)
      problems += isBad ? '%!(BADPREC)' : ''
    }
    if (!afterIndex) this.#index()
    const verb = String.fromCodePoint(this.#rest().codePointAt(0) ?? 0)
    if (this.#rest() === '') return `${problems}%!(NOVERB)`
    this.#at += verb.length
    return problems + this.#value(verb, { ...spec, minus: isLeft, zero: spec.zero && !isLeft })
  }

  #value(verb: string, spec: Spec): string {
    if (verb === '%') return '%'
    if (!this.#goodIndex) return `%!${verb}(BADINDEX)`
    const value = this.#values[this.#next]
    if (value === undefined) return `%!${verb}(MISSING)`
    this.#next++
    return verbText(verb, value, spec)
  }

  #extra(): string {
    if (this.#reordered || this.#next >= this.#values.length) return ''
    const extra = this.#values
      .slice(this.#next)
      .map((value) => (value.type === 'nil' ? '<nil>' : `${value.type}=${printed(value)}`))
    return `%!(EXTRA ${extra.join(', ')})`
  }

  /** `[n]` before a width, precision or verb. */
  #index(): boolean {
    if (!this.#rest().startsWith('[')) return false
    this.#reordered = true
    const close = this.#rest().indexOf(']')
    const digits = /^\[(\d+)\]/.exec(this.#rest())?.[1]
    this.#at += close < 0 ? 1 : close + 1
    const index = Number(digits) - 1
    if (digits === undefined || index < 0 || index >= this.#values.length) {
      this.#goodIndex = false
      return digits !== undefined || close >= 0
    }
    this.#next = index
    return true
  }

  #size(afterIndex: boolean): { value: number | undefined; isBad: boolean; afterIndex: boolean } {
    if (this.#rest().startsWith('*')) {
      this.#at++
      const value = this.#values[this.#next]
      if (value !== undefined) this.#next++
      const isNumber = value?.type === 'int' && value.value <= 1_000_000n && value.value >= -1_000_000n
      return { value: isNumber ? Number(value.value) : undefined, isBad: !isNumber, afterIndex: false }
    }
    const [digits = ''] = /^\d*/.exec(this.#rest()) ?? []
    this.#at += digits.length
    if (digits !== '' && afterIndex) this.#goodIndex = false
    return { value: digits === '' ? undefined : Number(digits), isBad: false, afterIndex }
  }

  #rest(): string {
    return this.#format.slice(this.#at)
  }
}

function verbText(verb: string, value: GoValue, spec: Spec): string {
  if (verb === 'T') return padded(value.type === 'nil' ? '<nil>' : value.type, { ...spec, zero: false })
  if (value.type === 'nil') return verb === 'v' ? padded('<nil>', { ...spec, zero: false }) : `%!${verb}(<nil>)`
  const text = typedText(verb, value, spec)
  // Go prints a value with a wrong verb as it was asked to, but with %v.
  return text ?? `%!${verb}(${value.type}=${typedText('v', value, spec) ?? ''})`
}

function typedText(verb: string, value: GoValue, spec: Spec): string | undefined {
  switch (value.type) {
    case 'string':
      return stringText(verb, value.value, spec)
    case 'int':
    case 'uint8':
      return intText(verb, value, spec)
    case 'float64':
      return floatText(verb, value.value, spec)
    case 'complex128':
      return complexText(verb, value.value, spec)
    case 'bool':
      return verb === 'v' || verb === 't' ? padded(String(value.value), spec) : undefined
    case 'map[string]string':
      return mapText(verb, value.value, spec)
    default:
      return undefined
  }
}

function stringText(verb: string, text: string, spec: Spec): string | undefined {
  const cut = spec.precision === undefined ? text : [...text].slice(0, spec.precision).join('')
  switch (verb) {
    case 'v':
      return spec.sharp ? padded(quoted(text, { ...spec, plus: false, sharp: false }), spec) : padded(cut, spec)
    case 's':
      return padded(cut, spec)
    case 'q':
      return padded(quoted(cut, spec), spec)
    case 'x':
    case 'X':
      return padded(hexText(text, verb, spec), spec)
    default:
      return undefined
  }
}

function quoted(text: string, spec: Spec): string {
  // oxlint-disable-next-line no-control-regex -- a raw literal must not have these
  if (spec.sharp && !/[`\u0000-\u0008\u000a-\u001f\u007f\ufeff]/.test(text)) return `\`${text}\``
  const plain = quote(text)
  if (!spec.plus) return plain
  return [...plain].map((character) => (character > '\u007e' ? escapedPoint(character) : character)).join('')
}

function escapedPoint(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16)
  return code.length <= 4 ? `\\u${code.padStart(4, '0')}` : `\\U${code.padStart(8, '0')}`
}

function hexText(text: string, verb: string, spec: Spec): string {
  const bytes = Buffer.from(text, 'utf8').subarray(0, spec.precision)
  const pairs = [...bytes].map((byte) => byte.toString(16).padStart(2, '0'))
  const prefix = spec.sharp && pairs.length > 0 ? '0x' : ''
  const joined = spec.space ? pairs.map((pair) => prefix + pair).join(' ') : prefix + pairs.join('')
  return verb === 'X' ? joined.toUpperCase() : joined
}

const BASES: Readonly<Record<string, readonly [base: number, prefix: string]>> = {
  d: [10, ''],
  v: [10, ''],
  b: [2, '0b'],
  o: [8, '0'],
  O: [8, ''],
  x: [16, '0x'],
  X: [16, '0x']
}

function intText(
  verb: string,
  { type, value }: { readonly type: 'int' | 'uint8'; readonly value: bigint },
  spec: Spec
): string | undefined {
  if (verb === 'v' && spec.sharp && type === 'uint8')
    return integer(value, { ...spec, sharp: true }, BASES['x'] ?? [16, ''])
  const base = BASES[verb]
  if (base !== undefined) {
    const text = integer(value, verb === 'v' ? { ...spec, sharp: false } : spec, base, verb === 'O' ? '0o' : '')
    return verb === 'X' ? text.toUpperCase() : text
  }
  const isPoint = value >= 0n && value <= 0x10ffffn && (value < 0xd800n || value > 0xdfffn)
  const character = isPoint ? String.fromCodePoint(Number(value)) : '\ufffd'
  if (verb === 'c') return padded(character, spec)
  if (verb === 'q') return padded(quotedCharacter(character, spec), spec)
  if (verb !== 'U') return undefined
  const digits = BigInt.asUintN(64, value)
    .toString(16)
    .toUpperCase()
    .padStart(Math.max(4, spec.precision ?? 4), '0')
  const shows = spec.sharp && isPoint && /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character)
  return padded(`U+${digits}${shows ? ` '${character}'` : ''}`, { ...spec, zero: false })
}

function quotedCharacter(character: string, spec: Spec): string {
  const inner = quoted(character, { ...spec, sharp: false }).slice(1, -1)
  return `'${inner === '\\"' ? '"' : inner === "'" ? "\\'" : inner}'`
}

function integer(value: bigint, spec: Spec, [base, prefix]: readonly [number, string], always = ''): string {
  const sign = value < 0n ? '-' : spec.plus ? '+' : spec.space ? ' ' : ''
  const digits = (value < 0n ? -value : value).toString(base)
  if (spec.precision === 0 && value === 0n) return padded('', { ...spec, zero: false })
  const marks = always + (spec.sharp && !(base === 8 && digits.startsWith('0')) ? prefix : '')
  if (spec.precision !== undefined)
    return padded(`${sign}${marks}${digits.padStart(spec.precision, '0')}`, { ...spec, zero: false })
  if (!spec.zero || spec.width === undefined) return padded(`${sign}${marks}${digits}`, spec)
  return `${sign}${marks}${digits.padStart(spec.width - sign.length, '0')}`
}

function floatText(verb: string, value: number, spec: Spec): string | undefined {
  const body = floatBody(verb, value, spec)
  if (body === undefined) return undefined
  const isNegative = body.startsWith('-')
  const sign = isNegative ? '-' : spec.plus ? '+' : spec.space ? ' ' : ''
  const digits = body.replace(/^[-+]/, '')
  if (!Number.isFinite(value)) {
    const shown = Number.isNaN(value) ? `${spec.plus ? '+' : spec.space ? ' ' : ''}NaN` : `${sign || '+'}Inf`
    return padded(shown, { ...spec, zero: false })
  }
  if (spec.zero && spec.width !== undefined) return `${sign}${digits.padStart(spec.width - sign.length, '0')}`
  return padded(`${sign}${digits}`, spec)
}

function floatBody(verb: string, value: number, spec: Spec): string | undefined {
  switch (verb) {
    case 'v':
    case 'g':
      return formatShortest(value, spec.precision)
    case 'G':
      return formatShortest(value, spec.precision).replace('e', 'E')
    case 'e':
      return formatExponent(value, spec.precision ?? 6)
    case 'E':
      return formatExponent(value, spec.precision ?? 6).replace('e', 'E')
    case 'x':
      return formatHexadecimal(value)
    case 'X':
      return formatHexadecimal(value).toUpperCase()
    case 'f':
    case 'F':
      return formatFixed(value, spec.precision ?? 6)
    default:
      return undefined
  }
}

function complexText(verb: string, [real, imaginary]: readonly [number, number], spec: Spec): string | undefined {
  const first = floatText(verb, real, spec)
  const second = floatText(verb, imaginary, { ...spec, plus: true })
  return first === undefined || second === undefined ? undefined : `(${first}${second}i)`
}

function mapText(verb: string, map: ReadonlyMap<string, string>, spec: Spec): string | undefined {
  if (verb === 'p') return '0xc000000000'
  const one = (text: string): string => verbText(verb, { type: 'string', value: text }, spec)
  const entries = sortedEntries(map)
  if (verb === 'v' && spec.sharp)
    return `map[string]string{${entries.map(([key, value]) => `${one(key)}:${one(value)}`).join(', ')}}`
  return `map[${entries.map(([key, value]) => `${one(key)}:${one(value)}`).join(' ')}]`
}

/** Width counts characters. */
function padded(text: string, { width, minus, zero }: Spec): string {
  const missing = (width ?? 0) - [...text].length
  if (missing <= 0) return text
  if (minus) return text + ' '.repeat(missing)
  return (zero ? '0' : ' ').repeat(missing) + text
}
