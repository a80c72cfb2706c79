import { isJsonMap } from '../../lib/apimachinery/index.ts'

/** One step of a JSON path of a definition. */
type Step =
  | { readonly type: 'field'; readonly name: string }
  | { readonly type: 'index'; readonly index: number }
  | { readonly type: 'all' }
  | { readonly type: 'filter'; readonly field: readonly string[]; readonly operator: string; readonly value: unknown }

const CACHE = new Map<string, readonly Step[]>()
const CACHE_MAX = 2000

/**
 * Splits the JSON paths that definitions use: `.spec.x`, `['a.b']`, `[0]`, `[*]`, `[?(@.type=="Ready")]`.
 * @param path - path starting with a dot, braces optional
 */
export function parseJsonPath(path: string): readonly Step[] {
  const known = CACHE.get(path)
  if (known !== undefined) return known
  const steps = splitPath(path.replace(/^\{(.*)\}$/s, '$1'))
  if (CACHE.size < CACHE_MAX) CACHE.set(path, steps)
  return steps
}

const STEP =
  /\.([^.[\]]+)|\['([^']*)'\]|\["([^"]*)"\]|\[(-?\d+)\]|\[\*\]|\[\?\(@((?:\.[\w-]+)+)\s*(==|!=|>=|<=|>|<)\s*('[^']*'|"[^"]*"|[^)]+)\)\]/gy

function splitPath(path: string): Step[] {
  const text = (path.startsWith('.') || path.startsWith('[') ? path : `.${path}`).replaceAll(String.raw`\.`, '\u0000')
  const steps: Step[] = []
  STEP.lastIndex = 0
  for (let match = STEP.exec(text); match !== null; match = STEP.exec(text)) {
    const [, field, single, double, index, filterPath, operator, value] = match
    const name = field ?? single ?? double
    if (name !== undefined) steps.push({ type: 'field', name: name.replaceAll('\u0000', '.') })
    else if (index !== undefined) steps.push({ type: 'index', index: Number(index) })
    else if (filterPath === undefined) steps.push({ type: 'all' })
    else
      steps.push({
        type: 'filter',
        field: filterPath.slice(1).split('.'),
        operator: operator ?? '==',
        value: literal(value ?? '')
      })
  }
  return steps
}

function literal(text: string): unknown {
  const trimmed = text.trim()
  if (/^(['"]).*\1$/s.test(trimmed)) return trimmed.slice(1, -1)
  if (trimmed === 'true' || trimmed === 'false') return trimmed === 'true'
  return /^-?\d+(\.\d+)?$/.test(trimmed) ? Number(trimmed) : trimmed
}

/**
 * All values a path selects.
 * @param root - object
 * @param path - JSON path
 */
export function evaluateJsonPath(root: unknown, path: string): readonly unknown[] {
  let values: unknown[] = [root]
  for (const step of parseJsonPath(path)) values = values.flatMap((value) => follow(value, step))
  return values
}

function follow(value: unknown, step: Step): unknown[] {
  if (step.type === 'field') {
    return isJsonMap(value) && Object.hasOwn(value, step.name) ? [value[step.name]] : []
  }
  const items = Array.isArray(value)
    ? (value as unknown[])
    : isJsonMap(value) && step.type === 'all'
      ? Object.values(value)
      : []
  if (step.type === 'all') return items
  if (step.type === 'index') {
    const item = items.at(step.index)
    return item === undefined ? [] : [item]
  }
  return items.filter((item) => satisfies(item, step))
}

function satisfies(item: unknown, step: Step & { type: 'filter' }): boolean {
  let value = item
  for (const name of step.field) value = isJsonMap(value) ? value[name] : undefined
  switch (step.operator) {
    case '==':
      return value === step.value
    case '!=':
      return value !== step.value
    case '>':
      return Number(value) > Number(step.value)
    case '<':
      return Number(value) < Number(step.value)
    case '>=':
      return Number(value) >= Number(step.value)
    default:
      return Number(value) <= Number(step.value)
  }
}

/**
 * The first value of a path, undefined when there is none.
 * @param root - object
 * @param path - JSON path
 */
export function evaluateSimplePath(root: unknown, path: string): unknown {
  return evaluateJsonPath(root, path)[0]
}
