import { visit } from 'yaml'
import type { Problem } from './problem.ts'
import { problemAt, type SourceDocument } from './source.ts'
import { suggest } from './suggestion.ts'

/** A parameter's value. */
export type ParamValue = string | number | boolean

/** Most cases one file may expand to. */
const CASES_MAX = 1000

/** One combination of parameter values; the first keys of `varied` come from the matrix. */
export interface Combination {
  readonly params: Readonly<Record<string, ParamValue>>
  readonly varied: Readonly<Record<string, ParamValue>>
}

/** The parameter part of a document, before the rest is read; shapes it does not know are left to the schema. */
export function combinations(data: unknown): readonly Combination[] {
  const spec = record(record(data)?.['spec'])
  const params = values(spec?.['params'])
  const matrix = Object.entries(record(spec?.['matrix']) ?? {})
  let varied: Readonly<Record<string, ParamValue>>[] = [{}]
  for (const [key, list] of matrix) {
    if (!Array.isArray(list)) continue
    const choices = list.filter(isParam)
    varied = varied.flatMap((base) => choices.map((value) => ({ ...base, [key]: value }))).slice(0, CASES_MAX)
  }
  return varied.map((choice) => ({ params: { ...params, ...choice }, varied: choice }))
}

/**
 * Puts parameter values into a document: `${{ params.name }}` anywhere in a text, and alone it keeps its type.
 * The document is changed in place; places stay those of the file.
 */
export function substitute(source: SourceDocument, params: Readonly<Record<string, ParamValue>>): Problem[] {
  const problems: Problem[] = []
  visit(source.document, {
    Scalar: (key, node) => {
      if (typeof node.value !== 'string' || !node.value.includes('${{')) return
      const alone = /^\s*\$\{\{\s*params\.([\w-]+)\s*\}\}\s*$/.exec(node.value)
      const unknown = (name: string): string => {
        problems.push(unknownParam(source, node.range?.[0] ?? 0, name, Object.keys(params)))
        return ''
      }
      if (alone?.[1] !== undefined && key !== 'key') {
        node.value = params[alone[1]] ?? unknown(alone[1])
        return
      }
      node.value = node.value.replace(/\$\{\{\s*params\.([\w-]+)\s*\}\}/g, (_text, name: string) =>
        String(params[name] ?? unknown(name))
      )
    }
  })
  return problems
}

/** The name of a case: that of its scenario with the varied values behind it. */
export function caseName(name: string, varied: Readonly<Record<string, ParamValue>>): string {
  const parts = Object.entries(varied).map(([key, value]) => `${key}=${String(value)}`)
  return parts.length === 0 ? name : `${name}[${parts.join(',')}]`
}

function unknownParam(source: SourceDocument, offset: number, name: string, known: readonly string[]): Problem {
  const position = source.lines.linePos(offset)
  const whole = problemAt(source, [], {
    message: `unknown parameter "${name}"`,
    fix: suggest(name, known) ?? 'declare it under spec.params or spec.matrix'
  })
  const sourceLine = source.text.split('\n')[position.line - 1]
  return {
    ...whole,
    place: { file: source.file, line: position.line, column: position.col },
    ...(sourceLine === undefined ? {} : { sourceLine })
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}

function values(value: unknown): Record<string, ParamValue> {
  return Object.fromEntries(
    Object.entries(record(value) ?? {}).filter((entry): entry is [string, ParamValue] => isParam(entry[1]))
  )
}

function isParam(value: unknown): value is ParamValue {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}
