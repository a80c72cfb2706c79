import { isJsonMap } from './json.ts'
import { labelKeyProblems, labelValueProblems } from './names.ts'

/** Operators of a requirement, in the words of apimachinery. */
export type SelectorOperator = 'in' | 'notin' | '=' | '==' | '!=' | 'exists' | '!' | 'gt' | 'lt'

/** One condition on one label. */
export interface Requirement {
  readonly key: string
  readonly operator: SelectorOperator
  readonly values: readonly string[]
}

/** All conditions hold, or the selector matches nothing at all. */
export interface LabelSelector {
  readonly requirements: readonly Requirement[]
  /** A null LabelSelector of an object selects nothing. */
  readonly nothing?: boolean
}

/** A parsed selector or the API server's words for what is wrong with it. */
export type SelectorOutcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message: string }

/** The selector that matches every object. */
export const EVERYTHING: LabelSelector = Object.freeze({ requirements: Object.freeze([]) })

/** The selector that matches no object. */
export const NOTHING: LabelSelector = Object.freeze({ requirements: Object.freeze([]), nothing: true })

type Token = { readonly kind: 'word' | 'op' | 'end'; readonly text: string }

const OPERATORS = 'in, notin, =, ==, !=, gt, lt'

/** The only characters that end a word (apimachinery `isSpecialSymbol`). */
const SPECIAL = '=!(),><'

function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < text.length) {
    const char = text.charAt(at)
    if (/\s/.test(char)) {
      at += 1
      continue
    }
    let end = at + 1
    if (SPECIAL.includes(char)) {
      const pair = text.slice(at, at + 2)
      if (pair === '==' || pair === '!=') end = at + 2
      tokens.push({ kind: 'op', text: text.slice(at, end) })
    } else {
      while (end < text.length && !SPECIAL.includes(text.charAt(end)) && !/\s/.test(text.charAt(end))) end += 1
      tokens.push({ kind: 'word', text: text.slice(at, end) })
    }
    at = end
  }
  tokens.push({ kind: 'end', text: '' })
  return tokens
}

class SelectorSyntaxError extends Error {}

/** Recursive descent over the tokens, as apimachinery's `labels.Parser`. */
class Parser {
  readonly #tokens: Token[]
  #position = 0

  constructor(text: string) {
    this.#tokens = tokenize(text)
  }

  #peek(): Token {
    return this.#tokens[this.#position] ?? { kind: 'end', text: '' }
  }

  #next(): Token {
    const token = this.#peek()
    this.#position += 1
    return token
  }

  parse(): Requirement[] {
    const requirements: Requirement[] = []
    if (this.#peek().kind === 'end') return requirements
    for (;;) {
      const start = this.#peek()
      if (start.kind === 'word' || start.text === '!') {
        requirements.push(this.#requirement())
        const separator = this.#next()
        if (separator.kind === 'end') return requirements
        if (separator.text !== ',')
          throw new SelectorSyntaxError(`found '${separator.text}', expected: ',' or 'end of string'`)
        const after = this.#peek()
        if (after.kind !== 'word' && after.text !== '!') {
          throw new SelectorSyntaxError(`found '${after.text}', expected: identifier after ','`)
        }
      } else {
        throw new SelectorSyntaxError(`found '${start.text}', expected: !, identifier, or 'end of string'`)
      }
    }
  }

  #requirement(): Requirement {
    const negated = this.#peek().text === '!' && this.#peek().kind === 'op'
    if (negated) this.#next()
    const key = this.#next()
    if (key.kind !== 'word') {
      const found = key.text
      throw new SelectorSyntaxError(`found '${found}', expected: identifier`)
    }
    checkKey(key.text)
    const next = this.#peek()
    if (negated) return { key: key.text, operator: '!', values: [] }
    if (next.kind === 'end' || next.text === ',') return { key: key.text, operator: 'exists', values: [] }
    return this.#comparison(key.text)
  }

  #comparison(key: string): Requirement {
    const token = this.#next()
    const operator = comparisonOperator(token)
    const values = operator === 'in' || operator === 'notin' ? this.#valueList() : [this.#exactValue()]
    checkValues(key, operator, values)
    return { key, operator, values: [...new Set(values)].sort() }
  }

  #exactValue(): string {
    const token = this.#peek()
    if (token.kind === 'end' || token.text === ',') return ''
    if (token.kind === 'word') return this.#next().text
    throw new SelectorSyntaxError(`found '${token.text}', expected: identifier`)
  }

  #valueList(): string[] {
    const open = this.#next()
    if (open.text !== '(') throw new SelectorSyntaxError(`found '${open.text}' expected: '('`)
    const values: string[] = []
    for (;;) {
      const token = this.#next()
      if (token.kind === 'word') {
        values.push(token.text)
        const after = this.#next()
        if (after.text === ')') return values
        if (after.text !== ',') throw new SelectorSyntaxError(`found '${after.text}', expected: ',' or ')'`)
        if (this.#peek().text === ')') {
          this.#next()
          return [...values, '']
        }
      } else if (token.text === ',') {
        values.push('')
      } else if (token.text === ')') {
        return values.length === 0 ? [''] : values
      } else {
        throw new SelectorSyntaxError(`found '${token.text}', expected: ',', ')' or identifier`)
      }
    }
  }
}

function comparisonOperator(token: Token): SelectorOperator {
  const known: Readonly<Record<string, SelectorOperator>> = {
    in: 'in',
    notin: 'notin',
    '=': '=',
    '==': '==',
    '!=': '!=',
    '>': 'gt',
    '<': 'lt'
  }
  const operator = Object.hasOwn(known, token.text) ? known[token.text] : undefined
  if (operator === undefined) throw new SelectorSyntaxError(`found '${token.text}', expected: ${OPERATORS}`)
  return operator
}

function checkKey(key: string): void {
  const problem = labelKeyProblems(key)[0]
  if (problem !== undefined) throw new SelectorSyntaxError(`key: Invalid value: ${JSON.stringify(key)}: ${problem}`)
}

function checkValues(key: string, operator: SelectorOperator, values: readonly string[]): void {
  if (operator === 'gt' || operator === 'lt') {
    const value = values[0] ?? ''
    if (!/^[+-]?\d+$/.test(value)) {
      throw new SelectorSyntaxError(
        `values[0]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer`
      )
    }
  }
  for (const [index, value] of values.entries()) {
    const problem = labelValueProblems(value)[0]
    if (problem !== undefined) {
      throw new SelectorSyntaxError(`values[${index}][${key}]: Invalid value: ${JSON.stringify(value)}: ${problem}`)
    }
  }
}

/**
 * Parses kubectl's and the API's label selector grammar (`a=b,c!=d,e in (f,g),!h,i`), after apimachinery 1.36.
 * @param text - the query parameter
 * @returns the selector, or the API server's message (`unable to parse requirement: …`)
 */
export function parseLabelSelector(text: string): SelectorOutcome<LabelSelector> {
  try {
    return { ok: true, value: { requirements: new Parser(text).parse() } }
  } catch (error) {
    if (!(error instanceof SelectorSyntaxError)) throw error
    const prefix =
      error.message.includes('Invalid value') || error.message.startsWith('found')
        ? 'unable to parse requirement: '
        : ''
    return { ok: false, message: `${prefix}${error.message}` }
  }
}

/**
 * The selector of an object's field (`{matchLabels, matchExpressions}` or a plain map of labels).
 * @param selector - meta/v1 LabelSelector; null or absent selects nothing, an empty one everything
 */
export function selectorFromObject(selector: unknown): LabelSelector {
  if (!isJsonMap(selector)) return NOTHING
  const requirements: Requirement[] = []
  const labels = isJsonMap(selector['matchLabels']) ? selector['matchLabels'] : {}
  for (const [key, value] of Object.entries(labels)) requirements.push({ key, operator: '=', values: [String(value)] })
  const expressions = Array.isArray(selector['matchExpressions']) ? selector['matchExpressions'] : []
  for (const expression of expressions) if (isJsonMap(expression)) requirements.push(expressionRequirement(expression))
  return { requirements }
}

function expressionRequirement(expression: Record<string, unknown>): Requirement {
  const operators: Readonly<Record<string, SelectorOperator>> = {
    In: 'in',
    NotIn: 'notin',
    Exists: 'exists',
    DoesNotExist: '!'
  }
  const operator = operators[String(expression['operator'])] ?? 'in'
  const values = Array.isArray(expression['values']) ? expression['values'].map(String) : []
  return { key: String(expression['key'] ?? ''), operator, values }
}

/**
 * The selector of a plain map of labels, as Services have it.
 * @param labels - every label must have this value; empty or absent selects nothing
 */
export function selectorFromLabels(labels: Readonly<Record<string, string>> | undefined): LabelSelector {
  const entries = Object.entries(labels ?? {})
  if (entries.length === 0) return NOTHING
  return { requirements: entries.map(([key, value]) => ({ key, operator: '=', values: [value] })) }
}

/**
 * Whether labels satisfy every requirement of a selector.
 * @param selector - a parsed selector
 * @param labels - of the object; absent: none
 */
export function matchesLabelSelector(
  selector: LabelSelector,
  labels: Readonly<Record<string, string>> | undefined
): boolean {
  if (selector.nothing === true) return false
  return selector.requirements.every((requirement) => matchesRequirement(requirement, labels ?? {}))
}

function matchesRequirement(requirement: Requirement, labels: Readonly<Record<string, string>>): boolean {
  const value = Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined
  switch (requirement.operator) {
    case 'exists':
      return value !== undefined
    case '!':
      return value === undefined
    case 'in':
    case '=':
    case '==':
      return value !== undefined && requirement.values.includes(value)
    case 'notin':
    case '!=':
      return value === undefined || !requirement.values.includes(value)
    case 'gt':
      return value !== undefined && /^[+-]?\d+$/.test(value) && BigInt(value) > BigInt(requirement.values[0] ?? '0')
    case 'lt':
      return value !== undefined && /^[+-]?\d+$/.test(value) && BigInt(value) < BigInt(requirement.values[0] ?? '0')
  }
}

/** The text form of a selector, sorted by key (what `status.selector` of a scale sub-resource holds). */
export function labelSelectorText(selector: LabelSelector): string {
  const parts = [...selector.requirements].sort((left, right) => (left.key < right.key ? -1 : 1))
  return parts.map(requirementText).join(',')
}

function requirementText(requirement: Requirement): string {
  const { key, operator, values } = requirement
  if (operator === 'exists') return key
  if (operator === '!') return `!${key}`
  if (operator === 'in' || operator === 'notin') return `${key} ${operator} (${[...values].sort().join(',')})`
  const sign = operator === 'gt' ? '>' : operator === 'lt' ? '<' : operator
  return `${key}${sign}${values.join('')}`
}

/** One term of a field selector. */
export interface FieldTerm {
  readonly field: string
  readonly equal: boolean
  readonly value: string
}

/**
 * Parses a field selector (`metadata.name=x,status.phase!=Running`); `\,`, `\=` and `\\` are escapes.
 * @param text - the query parameter
 * @returns the terms, or the API server's message
 */
export function parseFieldSelector(text: string): SelectorOutcome<readonly FieldTerm[]> {
  const terms: FieldTerm[] = []
  for (const part of splitTerms(text)) {
    if (part === '') continue
    const split = splitTerm(part)
    if (split === undefined) return { ok: false, message: `invalid selector: '${part}'; can't understand '${part}'` }
    const value = unescapeValue(split.raw)
    if (value === undefined)
      return { ok: false, message: `invalid field selector: invalid escape sequence: ${split.raw}` }
    terms.push({ field: split.field, equal: split.equal, value })
  }
  return { ok: true, value: terms }
}

function splitTerms(text: string): string[] {
  const parts: string[] = []
  let current = ''
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at)
    if (char === '\\') {
      current += text.slice(at, at + 2)
      at += 1
    } else if (char === ',') {
      parts.push(current)
      current = ''
    } else {
      current += char
    }
  }
  return [...parts, current]
}

function splitTerm(term: string): { field: string; equal: boolean; raw: string } | undefined {
  const match = /^([^=!]*)(!=|==|=)(.*)$/s.exec(term)
  if (match === null) return undefined
  return { field: match[1] ?? '', equal: match[2] !== '!=', raw: match[3] ?? '' }
}

function unescapeValue(raw: string): string | undefined {
  if (/(^|[^\\])(\\\\)*\\([^\\,=]|$)/.test(raw)) return undefined
  return raw.replaceAll(/\\([\\,=])/g, '$1')
}

/**
 * Whether an object satisfies every term.
 * @param terms - parsed field selector
 * @param fieldOf - value of a field of the object as text; `''` when unset
 */
export function matchesFieldSelector(terms: readonly FieldTerm[], fieldOf: (field: string) => string): boolean {
  return terms.every((term) => (fieldOf(term.field) === term.value) === term.equal)
}
