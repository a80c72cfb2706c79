import { createHash } from 'node:crypto'
import { compileRegexp } from '../../lib/tsdb/index.ts'

/** What a relabel rule does. */
type RelabelAction =
  | 'replace'
  | 'keep'
  | 'drop'
  | 'keepequal'
  | 'dropequal'
  | 'hashmod'
  | 'labelmap'
  | 'labeldrop'
  | 'labelkeep'
  | 'lowercase'
  | 'uppercase'

/** One rule, in the words of Prometheus' configuration. */
export interface RelabelRule {
  readonly sourceLabels?: readonly string[]
  /** Between source values; default `;`. */
  readonly separator?: string
  /** Anchored; default `(.*)`. */
  readonly regex?: string
  readonly modulus?: number
  readonly targetLabel?: string
  /** Default `$1`. */
  readonly replacement?: string
  /** Default `replace`. */
  readonly action?: RelabelAction
}

/** Labels by name. */
export type LabelRecord = Readonly<Record<string, string>>

const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/

/**
 * Applies rules in order.
 * @returns the new labels, empty values removed; undefined when a rule drops the set
 * @see Prometheus model/relabel/relabel.go, v2.55.1
 */
export function relabel(labels: LabelRecord, rules: readonly RelabelRule[]): LabelRecord | undefined {
  let current = new Map(Object.entries(labels).filter(([, value]) => value !== ''))
  for (const rule of rules) {
    const next = applyRule(current, rule)
    if (next === undefined) return undefined
    current = next
  }
  return Object.fromEntries(current)
}

function applyRule(labels: Map<string, string>, rule: RelabelRule): Map<string, string> | undefined {
  const action = rule.action ?? 'replace'
  const regexp = regexpOf(rule)
  const value = (rule.sourceLabels ?? []).map((name) => labels.get(name) ?? '').join(rule.separator ?? ';')
  switch (action) {
    case 'keep':
      return regexp.test(value) ? labels : undefined
    case 'drop':
      return regexp.test(value) ? undefined : labels
    case 'keepequal':
      return labels.get(rule.targetLabel ?? '') === value ? labels : undefined
    case 'dropequal':
      return (labels.get(rule.targetLabel ?? '') ?? '') === value ? undefined : labels
    case 'labelmap':
      return mapLabels(labels, regexp, rule.replacement ?? '$1')
    case 'labeldrop':
      return new Map([...labels].filter(([name]) => !regexp.test(name)))
    case 'labelkeep':
      return new Map([...labels].filter(([name]) => regexp.test(name)))
    case 'hashmod':
      return set(labels, rule.targetLabel ?? '', String(hashModulus(value, rule.modulus ?? 1)))
    case 'lowercase':
      return set(labels, rule.targetLabel ?? '', value.toLowerCase())
    case 'uppercase':
      return set(labels, rule.targetLabel ?? '', value.toUpperCase())
    case 'replace':
      return replace(labels, rule, value, regexp)
  }
}

const NEVER = /(?!)/
const ANY = /^(.*)$/s

function regexpOf(rule: RelabelRule): RegExp {
  if (rule.regex === undefined) return ANY
  const outcome = compileRegexp(rule.regex)
  return outcome.ok ? outcome.regexp : NEVER
}

function replace(labels: Map<string, string>, rule: RelabelRule, value: string, regexp: RegExp): Map<string, string> {
  const match = regexp.exec(value)
  if (match === null) return labels
  const target = expand(rule.targetLabel ?? '', match)
  if (!LABEL_NAME.test(target)) return labels
  return set(labels, target, expand(rule.replacement ?? '$1', match))
}

function mapLabels(labels: Map<string, string>, regexp: RegExp, replacement: string): Map<string, string> {
  const mapped = new Map(labels)
  for (const [name, value] of labels) {
    const match = regexp.exec(name)
    if (match !== null) mapped.set(expand(replacement, match), value)
  }
  return mapped
}

function set(labels: Map<string, string>, name: string, value: string): Map<string, string> {
  const made = new Map(labels)
  if (value === '') made.delete(name)
  else made.set(name, value)
  return made
}

function hashModulus(value: string, modulus: number): number {
  const digest = createHash('md5').update(value).digest()
  // Prometheus takes the last eight bytes as a big-endian number.
  return Number(digest.readBigUInt64BE(8) % BigInt(modulus))
}

/** Go's template: `$1`, `${1}`, `$$`. */
function expand(template: string, match: RegExpExecArray): string {
  return template.replace(/\$(?:\$|\{(\w+)\}|(\w+))/g, (whole, braced?: string, plain?: string) => {
    if (whole === '$$') return '$'
    const name = braced ?? plain ?? ''
    return /^\d+$/.test(name) ? (match[Number(name)] ?? '') : (match.groups?.[name] ?? '')
  })
}
