import { sharedNames } from '../../lib/tsdb/index.ts'
import type { LabelRow } from './label-row.ts'
import { isJudging, judgement, type LabelRecord, relabel, type RelabelRule } from './relabel.ts'

/** A text put together from values of a row (by their places) and fixed parts. */
type Template = readonly (number | string)[]

/** What relabelling left of a label set. */
export interface Relabelled {
  /** Value of a label; undefined: it is not there. */
  get(name: string): string | undefined
  /** Names of the labels that stay with the target, ascending. */
  readonly names: readonly string[]
  /** Their values. */
  readonly values: readonly string[]
  /** Names of all labels. */
  readonly all: readonly string[]
  /** Names of the parameters among them. */
  readonly parameters: readonly string[]
}

/** What rules make of rows with the same names, and the same of them empty. */
export interface RelabelPlan {
  /** Whether the rules that come before any change drop a row. */
  drops(row: LabelRow): boolean
  /** The labels after relabelling; undefined: dropped. For rows that the first rules let pass. */
  apply(row: LabelRow): Relabelled | undefined
  /** Whether a row is dropped, or becomes the same target, as one whose values differ at that place only. */
  ignores(place: number): boolean
}

/** Marks the place of a value in a text. */
const MARK = '\u0001'

/**
 * Looks at rules once for all rows alike. Where what the rules do depends on names alone, what they make of a row is
 * learnt by relabelling the places of its values; else each row is relabelled by itself.
 * @param own - labels that the job gives every row, which a row's own labels win over
 */
export function planRelabelling(rules: readonly RelabelRule[], own: LabelRecord, sample: LabelRow): RelabelPlan {
  const first = rules.findIndex((rule) => !isJudging(rule))
  const read = new Set<number | string>()
  const judges = (first < 0 ? rules : rules.slice(0, first)).map((rule) => judgeOf(rule, own, sample, read))
  const changes = first < 0 ? [] : rules.slice(first)
  const goesByPlaces = changes.every(goesByNames) && !isMarked(changes, own)
  return {
    drops: (row) => judges.some((judge) => !judge(row)),
    apply: goesByPlaces ? byPlaces(changes, own, sample, read) : (row) => byValues(changes, own, row),
    ignores: (place) => goesByPlaces && !read.has(place)
  }
}

/** Whether what a rule does is the same for all values, as long as none is empty. */
function goesByNames({ action = 'replace', regex, targetLabel = '' }: RelabelRule): boolean {
  if (action === 'labelmap' || action === 'labeldrop' || action === 'labelkeep') return true
  return action === 'replace' && regex === undefined && !targetLabel.includes('$')
}

/** Whether a fixed text looks as if it marked a place. */
function isMarked(changes: readonly RelabelRule[], own: LabelRecord): boolean {
  const texts = changes.flatMap(({ separator = '', replacement = '' }) => [separator, replacement])
  return [...texts, ...Object.values(own)].some((text) => text.includes(MARK))
}

/** @param read - is given the places that are looked at */
function judgeOf(
  rule: RelabelRule,
  own: LabelRecord,
  { list }: LabelRow,
  read: Set<number | string>
): (row: LabelRow) => boolean {
  const passes = judgement(rule)
  const valueOf = (name: string): number | string => {
    const place = list.names.indexOf(name)
    return place < 0 ? (own[name] ?? '') : place
  }
  const { sourceLabels = [], separator = ';', targetLabel = '' } = rule
  const source = sourceLabels.flatMap((name, index) => (index === 0 ? [valueOf(name)] : [separator, valueOf(name)]))
  const target = [valueOf(targetLabel)]
  for (const part of [...source, ...target]) read.add(part)
  return ({ values }) => passes(fill(source, values), fill(target, values))
}

function byValues(changes: readonly RelabelRule[], own: LabelRecord, row: LabelRow): Relabelled | undefined {
  const labels = relabel({ ...own, ...row.toRecord() }, changes)
  if (labels === undefined) return undefined
  const all = Object.keys(labels)
  const names = all.filter(isFinal).sort()
  const values = names.map((name) => labels[name] ?? '')
  return { get: (name) => labels[name], names, values, all, parameters: parametersAmong(all) }
}

/** @param read - is given the places that make a target */
function byPlaces(
  changes: readonly RelabelRule[],
  own: LabelRecord,
  sample: LabelRow,
  read: Set<number | string>
): (row: LabelRow) => Relabelled | undefined {
  const marked = sample.list.names.flatMap((name, place): [string, string][] =>
    sample.values[place] === '' ? [[name, '']] : [[name, `${MARK}${place}${MARK}`]]
  )
  const labels = relabel({ ...own, ...Object.fromEntries(marked) }, changes)
  if (labels === undefined) return () => undefined
  const templates = new Map(Object.entries(labels).map(([name, text]) => [name, templateOf(text)]))
  const all = [...templates.keys()]
  const names = sharedNames(all.filter(isFinal).sort())
  const parameters = parametersAmong(all)
  const finals = names.map((name) => templates.get(name) ?? [])
  for (const [name, template] of templates) {
    if (!name.startsWith(DISCOVERED)) for (const part of template) read.add(part)
  }
  return ({ values }) => ({
    get: (name) => {
      const template = templates.get(name)
      return template === undefined ? undefined : fill(template, values)
    },
    names,
    values: finals.map((template) => fill(template, values)),
    all,
    parameters
  })
}

/** Beginning of the labels that rules may read and that make no target. */
const DISCOVERED = '__meta_'

/** Beginning of the labels that are parameters of a target's query. */
export const PARAMETER = '__param_'

function parametersAmong(names: readonly string[]): readonly string[] {
  return names.filter((name) => name.startsWith(PARAMETER)).map((name) => name.slice(PARAMETER.length))
}

/** Labels of two underscores go when relabelling is over. */
function isFinal(name: string): boolean {
  return !name.startsWith('__')
}

function templateOf(text: string): Template {
  return text
    .split(MARK)
    .flatMap((part, index): Template => (index % 2 === 1 ? [Number(part)] : part === '' ? [] : [part]))
}

function fill(template: Template, values: readonly string[]): string {
  let text = ''
  for (const part of template) text += typeof part === 'number' ? (values[part] ?? '') : part
  return text
}
