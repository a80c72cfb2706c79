import { renderTemplate } from '../../lib/golang/index.ts'
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

/**
 * Renders a query template: Go's text/template with one function per value of the model and no data.
 * @throws StepFailed with Go's error text
 * @see fluxcd/flagger pkg/metrics/observers/render.go RenderQuery 1.44.0
 */
export function renderQuery(template: string, model: QueryModel): string {
  const rendered = renderTemplate('tmpl', template, { ...model })
  if (rendered.ok) return rendered.text
  throw new StepFailed(`template ${rendered.step === 'parsing' ? 'parsing' : 'excution'} failed: ${rendered.error}`)
}
