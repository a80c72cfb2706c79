import type { Canary } from '../../kinds/index.ts'
import { StepFailed } from './failure.ts'
import { TemplateProblem } from './go-template-lexer.ts'
import { ExecutionProblem, runTemplate, type TemplateValue } from './go-template.ts'
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

/**
 * Renders a query template: Go's text/template with one function per value of the model and no data.
 * @throws StepFailed with Go's error text
 * @see fluxcd/flagger pkg/metrics/observers/render.go RenderQuery 1.44.0
 */
export function renderQuery(template: string, model: QueryModel): string {
  const functions = Object.fromEntries(
    Object.entries(model).map(([name, value]) => [name, () => value as TemplateValue])
  )
  try {
    return runTemplate(template, functions)
  } catch (error) {
    if (error instanceof TemplateProblem) {
      throw new StepFailed(`template parsing failed: template: tmpl:${lineOf(template, error.at)}: ${error.message}`)
    }
    if (!(error instanceof ExecutionProblem)) throw error
    const place = `tmpl:${lineOf(template, error.at)}:${columnOf(template, error.at)}`
    throw new StepFailed(
      `template excution failed: template: ${place}: executing "tmpl" at <${error.node}>: ${error.message}`
    )
  }
}

function lineOf(template: string, at: number): number {
  return template.slice(0, at).split('\n').length
}

/** Bytes since the line's beginning. */
function columnOf(template: string, at: number): number {
  const before = template.slice(0, at)
  return Buffer.byteLength(before.slice(before.lastIndexOf('\n') + 1), 'utf8')
}
