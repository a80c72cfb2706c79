import { answerPlan, type VizAnswer, type VizAsk, type VizPlan, type VizSample } from '../../../src/model/viz/index.ts'

/** Objects by API path, series by a part of the query; everything that was asked. */
export interface Answers {
  readonly objects?: Readonly<Record<string, unknown>>
  readonly series?: readonly (readonly [part: string, samples: readonly VizSample[]])[]
}

/** Runs a plan with these answers. */
export function runPlan<T>(plan: VizPlan<T>, answers: Answers = {}): { readonly result: T; readonly asked: VizAsk[] } {
  const asked: VizAsk[] = []
  const result = answerPlan(plan, (ask) => {
    asked.push(ask)
    return ask.ask === 'api' ? objectAnswer(answers, ask.path) : seriesAnswer(answers, ask.expression)
  })
  return { result, asked }
}

function objectAnswer({ objects = {} }: Answers, path: string): VizAnswer {
  const body = objects[path]
  if (body !== undefined) return { ok: true, body: Array.isArray(body) ? { items: body } : body }
  const name = path.split('/').at(-1) ?? ''
  return { ok: false, code: 404, message: `namespaces "${name}" not found` }
}

function seriesAnswer({ series = [] }: Answers, expression: string): VizAnswer {
  return { ok: true, samples: series.find(([part]) => expression.includes(part))?.[1] ?? [] }
}

/** An object with that name, in `test`. */
export function named(name: string, over: Readonly<Record<string, unknown>> = {}): object {
  return { metadata: { name, namespace: 'test', uid: `uid-${name}` }, ...over }
}

/** Something owned by the object of that name. */
export function ownedBy(owner: string, name: string, labels: Readonly<Record<string, string>> = {}): object {
  const ownerReferences = [{ uid: `uid-${owner}`, controller: true }]
  return {
    metadata: { name, namespace: 'test', uid: `uid-${name}`, ownerReferences, labels },
    status: { phase: 'Running' }
  }
}

/** Labels by which a pod is known to be in the mesh. */
export const MESHED: Readonly<Record<string, string>> = { 'linkerd.io/control-plane-ns': 'linkerd' }
