import { quote } from '../quote.ts'
import { BUILTINS } from './functions.ts'
import { parseTemplates, TemplateProblem, type Templates } from './parser.ts'
import { ExecutionProblem, runTemplates, type TemplateFunctions } from './run.ts'
import { textValue, type GoValue } from './value.ts'

/** What a template gave, or Go's error of parsing or executing it. */
export type Rendered =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly step: 'parsing' | 'execution'; readonly error: string }

/**
 * Renders a template without data, with functions that give a text or a map of texts; a missing key is an error.
 * @param name - name of the template, which errors show
 * @see Go text/template 1.26
 */
export function renderTemplate(
  name: string,
  text: string,
  values: Readonly<Record<string, string | Readonly<Record<string, string>>>>
): Rendered {
  const functions: TemplateFunctions = (one) => {
    const value = Object.hasOwn(values, one) ? values[one] : undefined
    return value === undefined ? undefined : valueOf(value)
  }
  try {
    return { ok: true, text: runTemplates(parsed(name, text, Object.keys(values)), name, functions) }
  } catch (error) {
    if (error instanceof TemplateProblem)
      return { ok: false, step: 'parsing', error: `template: ${name}:${error.line}: ${error.message}` }
    if (!(error instanceof ExecutionProblem)) throw error
    const place = `${name}:${placeOf(text, error.at)}: executing ${quote(error.template)} at <${error.node}>`
    return { ok: false, step: 'execution', error: `template: ${place}: ${error.message}` }
  }
}

/** What a template was parsed to, under its name and with the functions it could call. */
interface ParsedTemplate {
  readonly name: string
  readonly functions: readonly string[]
  readonly templates: Templates
}

/** The same templates are rendered again and again. */
const parsedTemplates = new Map<string, ParsedTemplate>()

/** Most templates that are kept. */
const TEMPLATES_MAX = 200

function parsed(name: string, text: string, functions: readonly string[]): Templates {
  const known = parsedTemplates.get(text)
  if (known?.name === name && isSameList(known.functions, functions)) return known.templates
  const templates = parseTemplates(name, text, (one) => functions.includes(one) || BUILTINS.has(one))
  if (parsedTemplates.size >= TEMPLATES_MAX) parsedTemplates.clear()
  parsedTemplates.set(text, { name, functions, templates })
  return templates
}

function isSameList(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((one, index) => one === right[index])
}

function valueOf(value: string | Readonly<Record<string, string>>): GoValue {
  return typeof value === 'string'
    ? textValue(value)
    : { type: 'map[string]string', value: new Map(Object.entries(value)) }
}

/** Line from 1, and bytes since its beginning. */
function placeOf(text: string, at: number): string {
  const before = text.slice(0, at)
  const start = before.lastIndexOf('\n') + 1
  return `${before.split('\n').length}:${Buffer.byteLength(before.slice(start), 'utf8')}`
}
