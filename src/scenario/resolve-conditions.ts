import type { Bound, Condition, ObjectReference } from '../kinds/index.ts'
import { resolveBound } from './quantity.ts'
import type { RawCondition, RawObjectCondition, RawOutput } from './raw.ts'
import type { OutputCheck } from './resolved.ts'

/** What stands in when a reference leaves something out. */
export interface Defaults {
  /** Namespace of references that name none: that of the first canary. */
  readonly namespace: string
}

/** A `kind/name` reference with its namespace. */
export function resolveReference(of: string, namespace: string | undefined, defaults: Defaults): ObjectReference {
  const slash = of.indexOf('/')
  return { kind: of.slice(0, slash), name: `${namespace ?? defaults.namespace}/${of.slice(slash + 1)}` }
}

/** A condition without units or alternatives left. */
export function resolveCondition(raw: RawCondition, defaults: Defaults): Condition {
  return {
    ...(raw.canary === undefined ? {} : { canary: raw.canary }),
    ...(raw.phase === undefined ? {} : { phase: asList(raw.phase) }),
    ...(raw.weight === undefined ? {} : { weight: resolveBound(raw.weight) }),
    ...(raw.milestone === undefined ? {} : { milestone: raw.milestone }),
    ...(raw.event === undefined ? {} : { event: raw.event }),
    ...(raw.command === undefined ? {} : { command: raw.command }),
    ...(raw.object === undefined ? {} : { object: resolveObject(raw.object, defaults) }),
    ...(raw.query === undefined ? {} : { query: { expression: raw.query.expr, bound: boundOf(raw.query) } })
  }
}

/** An object with the fields it must have. */
export function resolveObject(
  raw: RawObjectCondition,
  defaults: Defaults
): ObjectReference & { like: Exclude<RawObjectCondition['like'], undefined> | 'absent' } {
  return { ...resolveReference(raw.of, raw.namespace, defaults), like: raw.like ?? 'absent' }
}

/** The limits that stand among other fields of an object. */
export function boundOf(raw: {
  is?: string | number | undefined
  above?: string | number | undefined
  below?: string | number | undefined
  atLeast?: string | number | undefined
  atMost?: string | number | undefined
}): Bound {
  const { is, above, below, atLeast, atMost } = raw
  return resolveBound({ is, above, below, atLeast, atMost })
}

/** Checks of what a command prints. */
export function resolveOutputs(raw: RawOutput | RawOutput[] | undefined): OutputCheck[] {
  return asList(raw ?? []).map((output) =>
    output.lines === undefined
      ? { kind: 'contains', text: output.contains ?? '' }
      : { kind: 'lines', like: output.lines.like, bound: boundOf(output.lines) }
  )
}

/** One value or several, as a list. */
export function asList<T>(value: T | T[]): T[] {
  return Array.isArray(value) ? value : [value]
}
