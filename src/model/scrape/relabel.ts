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
  const current = new Map<string, string>()
  for (const name of Object.keys(labels)) {
    const value = labels[name] ?? ''
    if (value !== '') current.set(name, value)
  }
  for (const rule of rules) {
    if (!isJudging(rule)) changeLabels(current, rule)
    else if (!passes(rule, (name) => current.get(name) ?? '')) return undefined
  }
  return Object.fromEntries(current)
}

/** Whether a rule only keeps or drops a set. */
export function isJudging({ action }: RelabelRule): boolean {
  return action === 'keep' || action === 'drop' || action === 'keepequal' || action === 'dropequal'
}

function sourceOf(rule: RelabelRule, valueOf: (name: string) => string): string {
  const { sourceLabels = [], separator = ';' } = rule
  return sourceLabels.length === 1 ? valueOf(sourceLabels[0] ?? '') : sourceLabels.map(valueOf).join(separator)
}

/** Whether a rule that only judges lets a set pass. */
function passes(rule: RelabelRule, valueOf: (name: string) => string): boolean {
  return judgement(rule)(sourceOf(rule, valueOf), valueOf(rule.targetLabel ?? ''))
}

/** What a rule that only judges says of the text it looks at and the value of its target: whether the set passes. */
export function judgement(rule: RelabelRule): (source: string, target: string) => boolean {
  const regexp = regexpOf(rule)
  switch (rule.action) {
    case 'keep':
      return (source) => regexp.test(source)
    case 'drop':
      return (source) => !regexp.test(source)
    case 'keepequal':
      return (source, target) => target === source
    default:
      return (source, target) => target !== source
  }
}

function changeLabels(labels: Map<string, string>, rule: RelabelRule): void {
  const value = sourceOf(rule, (name) => labels.get(name) ?? '')
  switch (rule.action) {
    case 'labelmap':
      return mapLabels(labels, rule)
    case 'labeldrop':
      return dropLabels(labels, rule, true)
    case 'labelkeep':
      return dropLabels(labels, rule, false)
    case 'hashmod':
      return set(labels, rule.targetLabel ?? '', String(hashModulus(value, rule.modulus ?? 1)))
    case 'lowercase':
      return set(labels, rule.targetLabel ?? '', value.toLowerCase())
    case 'uppercase':
      return set(labels, rule.targetLabel ?? '', value.toUpperCase())
    default:
      return replace(labels, rule, value)
  }
}

const NEVER = /(?!)/
const ANY = /^(.*)$/s

function regexpOf(rule: RelabelRule): RegExp {
  if (rule.regex === undefined) return ANY
  const outcome = compileRegexp(rule.regex)
  return outcome.ok ? outcome.regexp : NEVER
}

function replace(labels: Map<string, string>, rule: RelabelRule, value: string): void {
  const match = regexpOf(rule).exec(value)
  if (match === null) return
  const target = expand(rule.targetLabel ?? '', match)
  if (LABEL_NAME.test(target)) set(labels, target, expand(rule.replacement ?? '$1', match))
}

function mapLabels(labels: Map<string, string>, rule: RelabelRule): void {
  // What is added meanwhile is not mapped again.
  const mapped: [string, string][] = []
  for (const [name, value] of labels) {
    const target = targetOf(rule, name)
    if (target !== undefined) mapped.push([target, value])
  }
  for (const [target, value] of mapped) labels.set(target, value)
}

function dropLabels(labels: Map<string, string>, rule: RelabelRule, matching: boolean): void {
  for (const name of labels.keys()) if ((targetOf(rule, name) !== undefined) === matching) labels.delete(name)
}

/** What rules over label names make of the names they have met: few names come again and again. */
const targetsOf = new WeakMap<RelabelRule, Map<string, string | undefined>>()

/** Most names that are kept per rule. */
const TARGETS_MAX = 1000

/** The name a rule maps a label name to; undefined where it does not match. */
function targetOf(rule: RelabelRule, name: string): string | undefined {
  let known = targetsOf.get(rule)
  if (known === undefined) targetsOf.set(rule, (known = new Map<string, string | undefined>()))
  const target = known.get(name)
  if (target !== undefined || known.has(name)) return target
  if (known.size >= TARGETS_MAX) known.clear()
  const match = regexpOf(rule).exec(name)
  const made = match === null ? undefined : expand(rule.replacement ?? '$1', match)
  known.set(name, made)
  return made
}

function set(labels: Map<string, string>, name: string, value: string): void {
  if (value === '') labels.delete(name)
  else labels.set(name, value)
}

function hashModulus(value: string, modulus: number): number {
  const digest = createHash('md5').update(value).digest()
  // Prometheus takes the last eight bytes as a big-endian number.
  return Number(digest.readBigUInt64BE(8) % BigInt(modulus))
}

/** Go's template: `$1`, `${1}`, `$$`. */
function expand(template: string, match: RegExpExecArray): string {
  if (!template.includes('$')) return template
  return template.replace(/\$(?:\$|\{(\w+)\}|(\w+))/g, (whole, braced?: string, plain?: string) => {
    if (whole === '$$') return '$'
    const name = braced ?? plain ?? ''
    return /^\d+$/.test(name) ? (match[Number(name)] ?? '') : (match.groups?.[name] ?? '')
  })
}
