import type { Expectation, ExpectationBody, SequenceItem } from '../kinds/index.ts'
import { ALL_KINDS, kindNamed } from '../trace/index.ts'
import type { Report } from './problem.ts'
import { durationMs, resolveBound } from './quantity.ts'
import type { RawExpectation, RawSequenceItem } from './raw.ts'
import {
  asList,
  boundOf,
  type Defaults,
  resolveCondition,
  resolveObject,
  resolveReference
} from './resolve-conditions.ts'
import { spell } from './issues.ts'
import { locate, type NodePath, problemAt, type SourceDocument, sourceText } from './source.ts'
import { suggest } from './suggestion.ts'

/** What expectations are resolved with. */
export interface ExpectationContext {
  readonly source: SourceDocument
  readonly defaults: Defaults
  readonly loads: readonly string[]
  readonly report: Report
}

/** Most milestones one item of a sequence may stand for. */
const TIMES_MAX = 100_000

/** Expectations with their units resolved. */
export function resolveExpectations(
  raw: readonly RawExpectation[],
  path: NodePath,
  context: ExpectationContext
): Expectation[] {
  return raw.map((expectation, index) => {
    const own = [...path, index]
    const body = resolveBody(expectation, own, context)
    return { ...body, place: locate(context.source, own).place, text: sourceText(context.source, own) }
  })
}

function resolveBody(raw: RawExpectation, path: NodePath, context: ExpectationContext): ExpectationBody {
  const { defaults } = context
  const canary = raw.canary === undefined ? {} : { canary: raw.canary }
  for (const kind of ['sequence', 'ordered'] as const) {
    const items = raw[kind]
    if (items === undefined) continue
    const resolved = items.map((item, index) => resolveItem(item, [...path, kind, index], context))
    return { kind, ...canary, items: resolved }
  }
  if (raw.never !== undefined)
    return { kind: 'never', condition: { ...canary, ...resolveCondition(raw.never, defaults) } }
  if (raw.always !== undefined)
    return { kind: 'always', condition: { ...canary, ...resolveCondition(raw.always, defaults) } }
  if (raw.holds !== undefined) {
    const until = { ...canary, ...resolveCondition(raw.until ?? {}, defaults) }
    return { kind: 'until', condition: { ...canary, ...resolveCondition(raw.holds, defaults) }, until }
  }
  if (raw.within !== undefined) return resolveWithin(raw.within, canary, defaults)
  if (raw.count !== undefined) {
    const condition = { ...canary, ...resolveCondition(raw.count, defaults) }
    return { kind: 'count', condition, bound: resolveBound(raw.count.times) }
  }
  if (raw.users !== undefined) return resolveUsers(raw.users, path, context)
  if (raw.final !== undefined) return resolveFinal(raw.final, canary, defaults)
  const query = raw.query ?? { expr: '' }
  return { kind: 'query', expression: query.expr, bound: boundOf(query), absent: query.absent ?? false }
}

function resolveWithin(
  raw: NonNullable<RawExpectation['within']>,
  canary: { readonly canary?: string },
  defaults: Defaults
): ExpectationBody {
  return {
    kind: 'within',
    since: raw.since ?? 'New revision',
    condition: { ...canary, ...resolveCondition(raw, defaults) },
    ...(raw.ticks === undefined ? {} : { ticks: raw.ticks }),
    ...(raw.time === undefined ? {} : { ms: durationMs(raw.time) })
  }
}

function resolveUsers(
  raw: NonNullable<RawExpectation['users']>,
  path: NodePath,
  context: ExpectationContext
): ExpectationBody {
  if (raw.load !== undefined && !context.loads.includes(raw.load)) {
    const message = `no load is called "${raw.load}"`
    context.report(
      problemAt(context.source, [...path, 'users', 'load'], { message, fix: `known: ${context.loads.join(', ')}` })
    )
  }
  const versions = Object.entries(raw.versions ?? {}).map(([version, bound]) => [version, resolveBound(bound)] as const)
  return {
    kind: 'users',
    ...(raw.load === undefined ? {} : { load: raw.load }),
    ...(raw.requests === undefined ? {} : { requests: resolveBound(raw.requests) }),
    ...(raw.failedRequests === undefined ? {} : { failedRequests: resolveBound(raw.failedRequests) }),
    versions: Object.fromEntries(versions)
  }
}

function resolveFinal(
  raw: NonNullable<RawExpectation['final']>,
  canary: { readonly canary?: string },
  defaults: Defaults
): ExpectationBody {
  const { image, replicas } = raw
  return {
    kind: 'final',
    ...canary,
    ...(raw.phase === undefined ? {} : { phase: asList(raw.phase) }),
    ...(raw.weight === undefined ? {} : { weight: resolveBound(raw.weight) }),
    ...(image === undefined
      ? {}
      : {
          image: {
            ...resolveReference(image.of, image.namespace, defaults),
            is: image.is,
            ...(image.container === undefined ? {} : { container: image.container })
          }
        }),
    ...(replicas === undefined
      ? {}
      : { replicas: { ...resolveReference(replicas.of, replicas.namespace, defaults), bound: boundOf(replicas) } }),
    ...(raw.object === undefined ? {} : { object: resolveObject(raw.object, defaults) })
  }
}

function resolveItem(raw: RawSequenceItem, path: NodePath, context: ExpectationContext): SequenceItem {
  const fail = (): SequenceItem['times'] => {
    const message = `${spell(path)}: expected ×3, ×1..3 or ×2+ behind the milestone`
    context.report(problemAt(context.source, path, { message }))
    return { min: 1, max: 1 }
  }
  if (typeof raw === 'object') {
    const times = parseTimes(String(raw.times ?? 1)) ?? fail()
    return { event: raw.event, times, text: `"${raw.event}"` }
  }
  const match = /^(.*?)(?:\s+[×x](\d[\d.+]*))?$/u.exec(raw.trim())
  const milestone = (match?.[1] ?? raw).trim()
  const times = match?.[2] === undefined ? { min: 1, max: 1 } : (parseTimes(match[2]) ?? fail())
  reportUnknownMilestone(milestone, path, context)
  return { milestone, times, text: raw.trim() }
}

/** A word no event can ever mean would only show as a divergence at the end of a run; it is refused here. */
function reportUnknownMilestone(words: string, path: NodePath, context: ExpectationContext): void {
  if (kindNamed(words) !== undefined) return
  const fix = suggest(words, ALL_KINDS) ?? `known: ${ALL_KINDS.toSorted().join(', ')}`
  context.report(problemAt(context.source, path, { message: `no milestone is called "${words}"`, fix }))
}

function parseTimes(text: string): SequenceItem['times'] | undefined {
  const match = /^(\d+)(?:(\+)|\.\.(\d+))?$/.exec(text)
  if (match === null) return undefined
  const min = Number(match[1])
  const max = match[2] !== undefined ? TIMES_MAX : Number(match[3] ?? match[1])
  return min <= max && max <= TIMES_MAX ? { min, max } : undefined
}
