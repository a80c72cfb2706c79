import type { ApiRequest, ApiResponse } from '../../../src/kinds/index.ts'
import type { Effect, RunContext } from '../../../src/world/controller/index.ts'
import { inFixedOrder, isBuiltIn, recordedBody } from './bodies.ts'
import type { GoldenCase, GoldenTrace, TraceRecord, TraceTick } from './case.ts'

const VERBS: Readonly<Record<string, string>> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }

/** The parts of an API path. */
export interface ApiTarget {
  readonly group: string
  readonly version: string
  readonly namespace: string
  readonly resource: string
  readonly name: string | undefined
  readonly subresource: string | undefined
}

/** Reads `/apis/<group>/<version>/namespaces/<namespace>/<resource>/<name>/<subresource>`. */
export function parseApiPath(path: string): ApiTarget {
  const [, root, ...parts] = path.split('/')
  const group = root === 'api' ? '' : (parts.shift() ?? '')
  const version = parts.shift() ?? ''
  const scoped = parts[0] === 'namespaces' && parts.length > 2
  const namespace = scoped ? (parts[1] ?? '') : ''
  const [resource = '', name, subresource] = scoped ? parts.slice(2) : parts
  return { group, version, namespace, resource, name, subresource }
}

/** Collects the records of a run. */
export class TraceRecorder {
  readonly ticks: TraceTick[] = [{ n: 0, records: [], between: [] }]
  readonly logs: { message: string; level: string }[] = []
  readonly cookies: Set<string> = new Set()
  readonly events: string[] = []
  readonly #case: GoldenCase
  #inTick = false
  /** Number of records and ticks so far: what is compared to tell whether anything happened. */
  activity = 0

  constructor(golden: GoldenCase) {
    this.#case = golden
  }

  /** The tick that runs, or ran last. */
  get last(): TraceTick {
    const tick = this.ticks.at(-1)
    if (tick === undefined) throw new Error('there is always tick 0')
    return tick
  }

  /** Whether a tick runs. */
  get inTick(): boolean {
    return this.#inTick
  }

  beginTick(): void {
    this.ticks.push({ n: this.ticks.length, records: [] })
    this.#inTick = true
    this.activity++
  }

  endTick(): void {
    this.#inTick = false
  }

  /** Forgets a tick whose canary was gone. */
  dropTick(): void {
    this.ticks.pop()
    this.#inTick = false
  }

  /** Adds a record to the tick, or to what happened after it. */
  add(record: TraceRecord, context?: Pick<RunContext, 'worker'>): void {
    this.activity++
    if (record.t === 'event') this.events.push(String(record['message']))
    if (this.#inTick && context?.worker !== true) {
      this.last.records.push(record)
      return
    }
    const tick = this.last
    tick.between ??= []
    tick.between.push(context?.worker === true ? { ...record, worker: true } : record)
  }

  /** Takes over an effect of the controller. */
  onEffect(effect: Effect, result: unknown, context: RunContext): void {
    if (effect.effect === 'api') this.#onApi(effect.request, result as ApiResponse, context)
    if (effect.effect === 'log') this.#onLog(effect)
    if (effect.effect === 'random' && effect.of === 'letters') this.cookies.add(String(result))
  }

  /** The trace so far. */
  trace(extra: Partial<GoldenTrace>): GoldenTrace {
    const ticks = this.ticks.map((tick) => {
      const { between, ...rest } = tick
      const records = inFixedOrder(tick.records)
      return between === undefined || between.length === 0 ? { ...rest, records } : { ...rest, records, between }
    })
    return { case: this.#case.id, ticks, ...extra }
  }

  #onApi(request: ApiRequest, response: ApiResponse, context: RunContext): void {
    const verb = VERBS[request.method]
    if (verb === undefined) return
    const target = parseApiPath(request.path)
    const failed = response.code < 200 || response.code >= 300
    if (failed && context.worker) return
    // The body of a built-in kind cannot be read, so that a refused creation has no name.
    const unreadable = failed && isBuiltIn(target.group)
    const name =
      target.name ??
      (unreadable ? '' : undefined) ??
      (request.body as { metadata?: { name?: string } } | undefined)?.metadata?.name
    const body = this.#body(verb, target, request, failed ? undefined : response)
    this.add(
      {
        t: 'write',
        verb,
        resource: target.resource,
        ...(name === undefined ? {} : { name }),
        ...(target.subresource === undefined ? {} : { subresource: target.subresource }),
        ...(target.namespace === this.#case.namespace ? {} : { namespace: target.namespace }),
        ...(body === undefined ? {} : { body }),
        ...(target.group === '' ? {} : { group: `${target.group}/${target.version}` }),
        ...(failed ? { result: response.code, error: (response.body as { message?: string }).message } : {})
      },
      context
    )
  }

  #body(verb: string, target: ApiTarget, request: ApiRequest, response: ApiResponse | undefined): unknown {
    if (verb === 'patch') return request.body
    if (verb === 'delete') return undefined
    if (isBuiltIn(target.group)) {
      if (response === undefined) return undefined
      return recordedBody(target.resource, target.subresource, response.body as Record<string, unknown>)
    }
    return recordedBody(target.resource, target.subresource, request.body as Record<string, unknown>)
  }

  #onLog(effect: Extract<Effect, { effect: 'log' }>): void {
    const { message, level } = effect
    if (this.#case.logs?.some((part) => message.includes(part)) !== true) return
    if (!this.logs.some((known) => known.message === message)) this.logs.push({ message, level })
  }
}
