import type { ApiRequest, ApiResponse, KubeObject } from '../../kinds/index.ts'
import { keptByText } from '../../lib/memory/index.ts'
import { parseGoDuration } from '../../lib/time/index.ts'
import type { Effect, HttpOutcome, LogEffect } from '../../model/canary/index.ts'
import type { MetricEvidence, TraceBody } from '../../trace/index.ts'

/** Most characters of an answer that the trace keeps. */
const ANSWER_CHARACTERS_MAX = 2000

/** Window of a check whose query names none. */
const WINDOW_MS_DEFAULT = 60_000

/** Which piece of the controller's work an effect belongs to. */
export interface EffectContext {
  readonly canary: string
  readonly tick: number
}

/** What a decision's evidence is completed with. */
export interface EvidenceSource {
  readonly canaryOf: (canary: string) => KubeObject | undefined
  /** User requests the canary's pods received in the window. */
  readonly userRequests: (workload: string, namespace: string, windowMs: number) => number
}

/** What an effect of the controller means for the trace; undefined for those that only tell it something. */
export function traceOfEffect(
  effect: Effect,
  result: unknown,
  context: EffectContext,
  source: EvidenceSource
): TraceBody | undefined {
  const { canary, tick } = context
  switch (effect.effect) {
    case 'event': {
      const { type, message, phase } = effect
      return { kind: 'event', canary: `${effect.canary.name}.${effect.canary.namespace}`, tick, type, message, phase }
    }
    case 'decision': {
      const { reason, message } = effect
      const evidence = withUserRequests(effect.evidence, effect.canary, source)
      return { kind: 'decision', canary: effect.canary, tick, reason, message, evidence }
    }
    case 'query':
      return { kind: 'query', canary, tick, query: effect.query, result: answerText(result as HttpOutcome) }
    case 'webhook': {
      const answer = answerText(result as HttpOutcome)
      return { kind: 'webhook', canary, tick, name: effect.hook, type: effect.type, url: effect.request.url, answer }
    }
    case 'alert':
      return { kind: 'alert', canary, tick, url: effect.request.url, payload: parsed(effect.request.body) }
    case 'api':
      if (effect.request.method === 'GET' || (result as ApiResponse).code >= 400) return undefined
      return traceOfWrite(effect.request, context)
    case 'log':
      return { kind: 'log', source: 'flagger', level: effect.level, message: effect.message }
    default:
      return undefined
  }
}

/** A line of Flagger's log, as zap writes it. @see fluxcd/flagger pkg/logger/logger.go 1.44.0 */
export function flaggerLogLine(effect: LogEffect, now: number): string {
  const canary = effect.canary === undefined ? {} : { canary: effect.canary }
  const ts = new Date(now).toISOString()
  const { level, message, fields } = effect
  return JSON.stringify({ level, ts, caller: 'controller/controller.go', msg: message, ...canary, ...fields })
}

function answerText(outcome: HttpOutcome): string {
  return outcome.ok ? `${outcome.status} ${outcome.body.slice(0, ANSWER_CHARACTERS_MAX)}`.trimEnd() : outcome.error
}

function parsed(body: string | undefined): unknown {
  if (body === undefined) return null
  try {
    return JSON.parse(body)
  } catch (error) {
    if (error instanceof SyntaxError) return body
    throw error
  }
}

const VERBS: Readonly<Record<string, string>> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }

function traceOfWrite(request: ApiRequest, { canary, tick }: EffectContext): TraceBody | undefined {
  const verb = VERBS[request.method]
  if (verb === undefined) return undefined
  const path = bareObject(request.path)
  const name = (request.body as { readonly metadata?: { readonly name?: string } } | undefined)?.metadata?.name
  const object = verb === 'create' && name !== undefined ? `${path}/${name}` : path
  return { kind: 'write', canary, tick, verb, object }
}

/** Most paths of writes whose objects are kept. */
const PATHS_MAX = 500

/** A path without its API and namespace. */
const bareObject = keptByText(PATHS_MAX, (path): string =>
  path.replace(/^\/apis?\/(?:[^/]+\/)?v[^/]+\//, '').replace(/^namespaces\/([^/]+)\//, '')
)

function withUserRequests(
  evidence: readonly MetricEvidence[],
  canary: string,
  source: EvidenceSource
): readonly MetricEvidence[] {
  if (evidence.length === 0) return evidence
  const object = source.canaryOf(canary)
  const spec = object?.spec as { readonly targetRef?: { readonly name?: string } } | undefined
  const workload = spec?.targetRef?.name
  const namespace = object?.metadata.namespace
  if (workload === undefined || namespace === undefined) return evidence
  return evidence.map((item) => {
    const window = /\[(\w+)[\]:]/.exec(item.query)?.[1]
    const windowMs = (window === undefined ? undefined : parseGoDuration(window)) ?? WINDOW_MS_DEFAULT
    return { ...item, userRequests: source.userRequests(workload, namespace, windowMs) }
  })
}
