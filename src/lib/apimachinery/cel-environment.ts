import { Environment, EvaluationError, type ASTNode, type ParseResult } from '@marcbachmann/cel-js'
import { leftOperandsBefore, withGeneralHas } from './cel-source.ts'
import { formatCelString } from './cel-format.ts'
import { isIpv4, isIpv6 } from './crd-formats.ts'
import { goRegExp } from './crd-schema-validation.ts'
import {
  QUANTITY_SYNTAX_MESSAGE,
  addQuantities,
  compareQuantities,
  parseQuantity,
  quantityNumber,
  type Quantity
} from './quantity.ts'

/** A compiled CEL expression: variables in, value out; throws an `Error` with CEL's message. */
export type CelProgram = (variables: Readonly<Record<string, unknown>>) => unknown

/** Longest expression accepted, in characters; bounds the work of parsing. */
const MAX_EXPRESSION_LENGTH = 100_000
const MAX_PROGRAMS = 5000

const PROGRAMS = new Map<string, CelProgram>()
let shared: Environment | undefined

/** Quantities as CEL sees them. */
class CelQuantity {
  readonly quantity: Quantity
  constructor(quantity: Quantity) {
    this.quantity = quantity
  }
}

/** URLs as CEL sees them. */
class CelUrl {
  readonly url: URL
  /** Path-only URLs have no scheme and host of their own. */
  readonly relative: boolean
  constructor(url: URL, relative: boolean) {
    this.url = url
    this.relative = relative
  }
}

/** IP addresses as CEL sees them. */
class CelIp {
  readonly address: string
  constructor(address: string) {
    this.address = address
  }
}

/**
 * Compiles a CEL expression in the environment of CRD validation rules: the standard library, strings, optionals and Kubernetes'
 * own libraries for lists, regular expressions, quantities, URLs and IP addresses. Compiled programs are kept.
 * @param expression - source text; at most 100,000 characters
 * @throws Error when it does not parse
 */
export function compileCel(expression: string): CelProgram {
  const known = PROGRAMS.get(expression)
  if (known !== undefined) return known
  if (expression.length > MAX_EXPRESSION_LENGTH)
    throw new Error(`expression exceeds ${MAX_EXPRESSION_LENGTH} characters`)
  shared ??= createEnvironment()
  const parsed = shared.parse(withGeneralHas(expression))
  const program: CelProgram = (variables) => run(parsed, { ...variables })
  if (PROGRAMS.size >= MAX_PROGRAMS) PROGRAMS.clear()
  PROGRAMS.set(expression, program)
  return program
}

function run(parsed: ParseResult, variables: Record<string, unknown>): unknown {
  try {
    return parsed(variables) as unknown
  } catch (error) {
    throw error instanceof EvaluationError ? leftmostError(parsed, error, variables) : error
  }
}

function leftmostError(parsed: ParseResult, error: EvaluationError, variables: Record<string, unknown>): unknown {
  if (error.range === undefined) return error
  for (const left of leftOperandsBefore(parsed.ast, error.range.start)) {
    try {
      compileCel(left)(variables)
    } catch (earlier) {
      // Operands inside a macro do not stand alone: their variables are unknown here.
      if (earlier instanceof EvaluationError && earlier.code !== 'unknown_variable') return earlier
    }
  }
  return error
}

/** What the evaluator of the library offers to macros, as far as `has` needs it. */
interface MacroEvaluator {
  run(node: ASTNode, context: unknown): unknown
}

interface MacroChecker {
  check(node: ASTNode, context: unknown): unknown
  getType(name: string): unknown
}

function registerHas(environment: Environment): void {
  environment.registerFunction('hasField(ast): bool', ({ args }: { args: readonly ASTNode[] }) => {
    const [selection] = args
    if (selection === undefined || selection.op !== '.') throw new Error('invalid argument to has() macro')
    const [receiver, field] = selection.args
    return {
      typeCheck(checker: MacroChecker, _macro: unknown, context: unknown) {
        checker.check(receiver, context)
        return checker.getType('bool')
      },
      evaluate(evaluator: MacroEvaluator, _macro: unknown, context: unknown) {
        return hasMember(evaluator.run(receiver, context), field)
      }
    }
  })
}

function hasMember(value: unknown, field: string): boolean {
  if (value instanceof Map) return value.has(field)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.hasOwn(value, field)
  throw new Error(`no such key: ${field}`)
}

function createEnvironment(): Environment {
  const environment = new Environment({
    unlistedVariablesAreDyn: true,
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true
  })
  registerHas(environment)
  registerLists(environment)
  registerStrings(environment)
  registerRegularExpressions(environment)
  registerQuantities(environment)
  registerUrls(environment)
  registerAddresses(environment)
  return environment
}

type Comparable = bigint | number | string

function items(list: unknown): Comparable[] {
  if (list instanceof Set) return [...(list as Set<Comparable>)]
  return Array.isArray(list) ? (list as Comparable[]) : []
}

function sum(list: unknown): unknown {
  const values = items(list)
  if (values.length === 0) return 0n
  if (values.every((value) => typeof value === 'bigint')) return values.reduce((total, value) => total + value, 0n)
  return values.reduce<number>((total, value) => total + Number(value), 0)
}

function extreme(list: unknown, name: string, better: (left: Comparable, right: Comparable) => boolean): unknown {
  const [first, ...rest] = items(list)
  if (first === undefined) throw new Error(`${name} called on empty list`)
  return rest.reduce((best, value) => (better(value, best) ? value : best), first)
}

function registerLists(environment: Environment): void {
  environment.registerFunction('list.sum(): dyn', (list: unknown) => sum(list))
  environment.registerFunction('list.min(): dyn', (list: unknown) =>
    extreme(list, 'min', (left, right) => left < right)
  )
  environment.registerFunction('list.max(): dyn', (list: unknown) =>
    extreme(list, 'max', (left, right) => left > right)
  )
  environment.registerFunction('list.isSorted(): bool', (list: unknown) => {
    const values = items(list)
    return values.every((value, index) => index === 0 || (values[index - 1] ?? value) <= value)
  })
  environment.registerFunction('list.indexOf(dyn): int', (list: unknown, value: Comparable) =>
    BigInt(items(list).indexOf(value))
  )
  environment.registerFunction('list.lastIndexOf(dyn): int', (list: unknown, value: Comparable) =>
    BigInt(items(list).lastIndexOf(value))
  )
}

function registerStrings(environment: Environment): void {
  environment.registerFunction('string.format(list): string', formatCelString)
  const replace = (text: string, from: string, to: string, limit: number): string => {
    if (limit < 0) return text.split(from).join(to)
    const parts = text.split(from)
    return (
      parts.slice(0, limit + 1).join(to) +
      parts
        .slice(limit + 1)
        .map((part) => from + part)
        .join('')
    )
  }
  environment.registerFunction('string.replace(string, string): string', (text: string, from: string, to: string) =>
    replace(text, from, to, -1)
  )
  environment.registerFunction(
    'string.replace(string, string, int): string',
    (text: string, from: string, to: string, limit: bigint) => replace(text, from, to, Number(limit))
  )
  environment.registerFunction('string.charAt(int): string', (text: string, index: bigint) => {
    const characters = [...text]
    if (index < 0n || index > BigInt(characters.length)) throw new Error(`index out of range: ${index}`)
    return characters[Number(index)] ?? ''
  })
  environment.registerFunction('string.reverse(): string', (text: string) => [...text].reverse().join(''))
}

function registerRegularExpressions(environment: Environment): void {
  environment.registerFunction(
    'string.find(string): string',
    (text: string, pattern: string) => goRegExp(pattern).exec(text)?.[0] ?? ''
  )
  const findAll = (text: string, pattern: string, limit: number): string[] => {
    const expression = goRegExp(pattern)
    const all = [...text.matchAll(new RegExp(expression.source, `${expression.flags}g`))].map((match) => match[0])
    return limit < 0 ? all : all.slice(0, limit)
  }
  environment.registerFunction('string.findAll(string): list', (text: string, pattern: string) =>
    findAll(text, pattern, -1)
  )
  environment.registerFunction('string.findAll(string, int): list', (text: string, pattern: string, limit: bigint) =>
    findAll(text, pattern, Number(limit))
  )
}

function requireQuantity(text: string): CelQuantity {
  const quantity = parseQuantity(text)
  if (quantity === undefined) throw new Error(QUANTITY_SYNTAX_MESSAGE)
  return new CelQuantity(quantity)
}

function registerQuantities(environment: Environment): void {
  environment.registerType('Quantity', { ctor: CelQuantity, fields: {} })
  environment.registerFunction('quantity(string): Quantity', requireQuantity)
  environment.registerFunction('isQuantity(string): bool', (text: string) => parseQuantity(text) !== undefined)
  const order = (left: CelQuantity, right: CelQuantity): number => compareQuantities(left.quantity, right.quantity)
  environment.registerFunction('Quantity.compareTo(Quantity): int', (left: CelQuantity, right: CelQuantity) =>
    BigInt(order(left, right))
  )
  environment.registerFunction(
    'Quantity.isGreaterThan(Quantity): bool',
    (left: CelQuantity, right: CelQuantity) => order(left, right) > 0
  )
  environment.registerFunction(
    'Quantity.isLessThan(Quantity): bool',
    (left: CelQuantity, right: CelQuantity) => order(left, right) < 0
  )
  const whole = (value: CelQuantity): boolean => value.quantity.nano % 1_000_000_000n === 0n
  environment.registerFunction('Quantity.isInteger(): bool', whole)
  environment.registerFunction('Quantity.asInteger(): int', (value: CelQuantity) => {
    if (!whole(value)) throw new Error('cannot convert value to integer')
    return value.quantity.nano / 1_000_000_000n
  })
  environment.registerFunction('Quantity.asApproximateFloat(): double', (value: CelQuantity) =>
    quantityNumber(value.quantity)
  )
  environment.registerFunction('Quantity.sign(): int', (value: CelQuantity) =>
    value.quantity.nano === 0n ? 0n : value.quantity.nano > 0n ? 1n : -1n
  )
  const plus = (left: CelQuantity, nano: bigint): CelQuantity =>
    new CelQuantity(addQuantities(left.quantity, { nano, format: left.quantity.format }))
  environment.registerFunction('Quantity.add(Quantity): Quantity', (left: CelQuantity, right: CelQuantity) =>
    plus(left, right.quantity.nano)
  )
  environment.registerFunction('Quantity.sub(Quantity): Quantity', (left: CelQuantity, right: CelQuantity) =>
    plus(left, -right.quantity.nano)
  )
  environment.registerFunction('Quantity.add(int): Quantity', (left: CelQuantity, right: bigint) =>
    plus(left, right * 1_000_000_000n)
  )
  environment.registerFunction('Quantity.sub(int): Quantity', (left: CelQuantity, right: bigint) =>
    plus(left, -right * 1_000_000_000n)
  )
}

function readUrl(text: string): CelUrl | undefined {
  if (text.startsWith('/')) {
    const url = URL.parse(text, 'http://relative.invalid')
    return url === null ? undefined : new CelUrl(url, true)
  }
  const url = /^[a-z][a-z0-9+.-]*:/i.test(text) && !/\s/.test(text) ? URL.parse(text) : null
  return url === null ? undefined : new CelUrl(url, false)
}

function registerUrls(environment: Environment): void {
  environment.registerType('URL', { ctor: CelUrl, fields: {} })
  environment.registerFunction('isURL(string): bool', (text: string) => readUrl(text) !== undefined)
  environment.registerFunction('url(string): URL', (text: string) => {
    const url = readUrl(text)
    if (url === undefined) throw new Error(`URL parse error during conversion from string: ${text}`)
    return url
  })
  const own = (value: CelUrl, text: string): string => (value.relative ? '' : text)
  environment.registerFunction('URL.getScheme(): string', (value: CelUrl) =>
    own(value, value.url.protocol.replace(/:$/, ''))
  )
  environment.registerFunction('URL.getHost(): string', (value: CelUrl) => own(value, value.url.host))
  environment.registerFunction('URL.getHostname(): string', (value: CelUrl) =>
    own(value, value.url.hostname.replaceAll(/^\[|\]$/g, ''))
  )
  environment.registerFunction('URL.getPort(): string', (value: CelUrl) => own(value, value.url.port))
  environment.registerFunction('URL.getEscapedPath(): string', (value: CelUrl) => value.url.pathname)
  environment.registerFunction('URL.getQuery(): map', (value: CelUrl) => {
    const query = new Map<string, string[]>()
    for (const [name, text] of value.url.searchParams) query.set(name, [...(query.get(name) ?? []), text])
    return query
  })
}

function registerAddresses(environment: Environment): void {
  environment.registerType('IP', { ctor: CelIp, fields: {} })
  const isIp = (text: string): boolean => isIpv4(text) || isIpv6(text)
  environment.registerFunction('isIP(string): bool', isIp)
  environment.registerFunction('ip(string): IP', (text: string) => {
    if (!isIp(text)) throw new Error(`IP Address ${JSON.stringify(text)} parse error during conversion from string`)
    return new CelIp(text)
  })
  environment.registerFunction('IP.family(): int', (value: CelIp) => (isIpv4(value.address) ? 4n : 6n))
  environment.registerFunction(
    'IP.isLoopback(): bool',
    (value: CelIp) => value.address.startsWith('127.') || value.address === '::1'
  )
  environment.registerFunction(
    'IP.isUnspecified(): bool',
    (value: CelIp) => value.address === '0.0.0.0' || value.address === '::'
  )
  environment.registerFunction('string(IP): string', (value: CelIp) => value.address)
  environment.registerFunction('isCIDR(string): bool', (text: string) => {
    const [address = '', prefix = ''] = text.split('/')
    const bits = isIpv4(address) ? 32 : isIpv6(address) ? 128 : -1
    return /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits
  })
}
