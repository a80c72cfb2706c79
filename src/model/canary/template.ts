import type { Canary } from '../../kinds/index.ts'
import { StepFailed } from './failure.ts'
import { serviceNames } from './spec.ts'

/** Values that a query template may use. */
export interface QueryModel {
  readonly name: string
  readonly namespace: string
  readonly target: string
  readonly service: string
  readonly ingress: string
  readonly route: string
  readonly interval: string
  readonly variables: Readonly<Record<string, string>>
}

/** The values for one metric of a canary. */
export function queryModel(
  canary: Canary,
  interval: string,
  variables: Readonly<Record<string, string>> = {}
): QueryModel {
  const target = canary.spec.targetRef.name
  return {
    name: canary.metadata.name,
    namespace: canary.metadata.namespace ?? '',
    target,
    service: serviceNames(canary).apex,
    ingress: canary.spec.ingressRef?.name ?? target,
    route: canary.spec.routeRef?.name ?? target,
    interval,
    variables
  }
}

const ACTION = /\{\{(- )?([\s\S]*?)( -)?\}\}/g

/**
 * Renders a query template: Go's text/template with one function per value of the model. Text, comments, trim
 * markers, the model's functions and `variables.<key>` are supported; other actions are refused by name.
 * @throws StepFailed with Go's error text
 * @see fluxcd/flagger pkg/metrics/observers/render.go RenderQuery 1.44.0
 */
export function renderQuery(template: string, model: QueryModel): string {
  let rendered = ''
  let end = 0
  let trimNext = false
  for (const action of template.matchAll(ACTION)) {
    const text = template.slice(end, action.index)
    const before = trimNext ? text.trimStart() : text
    rendered += action[1] === undefined ? before : before.trimEnd()
    rendered += evaluate(template, action, model)
    trimNext = action[3] !== undefined
    end = action.index + action[0].length
  }
  const rest = template.slice(end)
  if (rest.includes('{{')) throw parseError(template, template.lastIndexOf('{{'), 'unclosed action')
  return rendered + (trimNext ? rest.trimStart() : rest)
}

function evaluate(template: string, action: RegExpExecArray, model: QueryModel): string {
  const source = action[2] ?? ''
  const expression = source.trim()
  if (/^\/\*[\s\S]*\*\/$/.test(expression)) return ''
  const position = action.index + 2 + (action[1]?.length ?? 0) + source.search(/\S/)
  if (expression === '') throw parseError(template, action.index, 'missing value for command')
  const [head = '', ...path] = expression.split('.')
  if (!/^[A-Za-z_]\w*$/.test(head) || path.some((part) => !/^\w+$/.test(part))) {
    throw parseError(
      template,
      position,
      `unexpected ${JSON.stringify(expression)} in operand (not modelled by rollout-twin)`
    )
  }
  if (!isFunction(head)) throw parseError(template, position, `function ${JSON.stringify(head)} not defined`)
  if (head === 'variables') return variable(template, position, path, model)
  if (path.length > 0)
    throw executionError(template, position, head, `can't evaluate field ${path[0] ?? ''} in type string`)
  return model[head]
}

function variable(template: string, position: number, path: readonly string[], model: QueryModel): string {
  const [key, ...deeper] = path
  if (key === undefined) {
    const entries = Object.entries(model.variables).sort(([left], [right]) => (left < right ? -1 : 1))
    return `map[${entries.map(([name, value]) => `${name}:${value}`).join(' ')}]`
  }
  const value = model.variables[key]
  if (value === undefined)
    throw executionError(template, position, 'variables', `map has no entry for key ${JSON.stringify(key)}`)
  if (deeper.length > 0)
    throw executionError(template, position, 'variables', `can't evaluate field ${deeper[0] ?? ''} in type string`)
  return value
}

function isFunction(name: string): name is keyof QueryModel {
  return ['name', 'namespace', 'target', 'service', 'ingress', 'route', 'interval', 'variables'].includes(name)
}

function parseError(template: string, position: number, problem: string): StepFailed {
  const line = 1 + (template.slice(0, position).match(/\n/g)?.length ?? 0)
  return new StepFailed(`template parsing failed: template: tmpl:${line}: ${problem}`)
}

function executionError(template: string, position: number, node: string, problem: string): StepFailed {
  const before = template.slice(0, position)
  const line = 1 + (before.match(/\n/g)?.length ?? 0)
  const column = Buffer.byteLength(before.slice(before.lastIndexOf('\n') + 1), 'utf8')
  return new StepFailed(
    `template excution failed: template: tmpl:${line}:${column}: executing "tmpl" at <${node}>: ${problem}`
  )
}
