import { randomStream } from '../../../src/lib/random/index.ts'
import type { ApiRequest, ApiResponse, Canary } from '../../../src/kinds/index.ts'
import {
  parseFlags,
  resolveSettings,
  startLocalController,
  type LocalController
} from '../../../src/world/controller/index.ts'
import type { ApiFault, GoldenCase, GoldenTrace, TraceRecord } from './case.ts'
import { Environment } from './environment.ts'
import { ScriptedHosts } from './http.ts'
import { withPlaceholders } from './placeholders.ts'
import { parseApiPath, TraceRecorder } from './recorder.ts'
import { execute, TriggerWatch } from './script.ts'
import { stateAfter } from './state.ts'

/** A case that neither ticks nor ends is given up after this much simulated time. */
const IDLE_MAX_MS = 300_000
/** After so many seconds of a tick its outcome is taken and the script acts. */
const SETTLE_SECONDS = 4
const WRITE_VERBS: Readonly<Record<string, string>> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete'
}

/** Replays a case on the virtual clock and gives its trace in the recorded form. */
export function replay(golden: GoldenCase): GoldenTrace {
  return new Replay(golden).run()
}

class Replay {
  readonly #golden: GoldenCase
  readonly #environment: Environment
  readonly #recorder: TraceRecorder
  readonly #hosts: ScriptedHosts
  readonly #faults: ApiFault[] = []
  readonly #apiEvents: Record<string, unknown>[] = []
  #controller: LocalController | undefined
  #ticked = false
  #processes = 0
  #tickBegin = 0
  #settledAt = 0

  constructor(golden: GoldenCase) {
    this.#golden = golden
    this.#environment = new Environment(golden)
    this.#recorder = new TraceRecorder(golden)
    this.#hosts = new ScriptedHosts(golden, this.#recorder, this.#environment.clock)
  }

  run(): GoldenTrace {
    const golden = this.#golden
    for (const manifest of golden.manifests) this.#create(manifest)
    this.#environment.settle()
    this.#startController()
    this.#passTime(0)
    const accepted = this.#create(golden.canary)
    const final = accepted && !this.#tickThrough() ? { final: stateAfter(this.#environment.api, golden) } : {}
    const { logs } = this.#recorder
    const trace = this.#recorder.trace({
      ...final,
      ...(golden.recordApiEvents === true ? { apiEvents: this.#apiEvents } : {}),
      ...(golden.logs === undefined ? {} : { logs }),
      controllerMetrics: this.#controller?.gauges.lines() ?? []
    })
    this.#controller?.kill()
    return withPlaceholders(trace, this.#recorder.cookies)
  }

  #create(object: GoldenCase['canary']): boolean {
    const response = this.#environment.create(object, this.#golden.namespace)
    if (response.code < 300) return true
    const status = response.body as { reason?: string; details?: { causes?: Cause[] } }
    this.#recorder.add({
      t: 'admission',
      kind: object.kind,
      name: object.metadata.name,
      accepted: false,
      code: response.code,
      reason: status.reason,
      causes: sortedCauses(status.details?.causes ?? [])
    })
    return false
  }

  /** Runs tick after tick, with the script in between; whether the case ended by its condition (and not by silence). */
  #tickThrough(): boolean {
    const { script, until, maxTicks } = this.#golden
    const steps = script.map((step) => ({ ...step, watch: new TriggerWatch(step.after), done: false }))
    const end = new TriggerWatch(until)
    for (;;) {
      if (!this.#nextTick()) return false
      this.#settleWithTime()
      const state = stateAfter(this.#environment.api, this.#golden)
      this.#recorder.last.after = state
      const tick = this.#recorder.last.n
      const progress = { tick, phase: String(state['phase']), events: this.#recorder.events }
      if (end.isDue(progress) || tick >= maxTicks) return true
      for (const step of steps) {
        if (step.done || !step.watch.isDue(progress)) continue
        step.done = true
        for (const action of step.do) this.#act(action)
      }
      this.#environment.settle()
    }
  }

  /** Everything comes to rest after a tick; what takes seconds (pods with minReadySeconds) gets them. */
  #settleWithTime(): void {
    const { clock } = this.#environment
    for (let second = 0; second <= SETTLE_SECONDS; second++) {
      const due = this.#tickBegin + second * 1000
      if (due > clock.now()) clock.runUntil(due)
      this.#environment.settle()
    }
  }

  #act(action: GoldenCase['script'][number]['do'][number]): void {
    const record: TraceRecord = { t: 'script', do: action }
    this.#recorder.add(record)
    const response = execute(action, {
      namespace: this.#golden.namespace,
      environment: this.#environment,
      hosts: this.#hosts,
      faults: this.#faults,
      restart: () => this.#startController()
    })
    if (response === undefined || response.code < 300) return
    record['result'] = response.code
    record['error'] = (response.body as { message?: string }).message
  }

  /** Lets time pass until a tick has ended; false when nothing happened for too long. */
  #nextTick(): boolean {
    const { clock } = this.#environment
    const idleMs = this.#golden.idleSeconds === undefined ? IDLE_MAX_MS : this.#golden.idleSeconds * 1000
    this.#ticked = false
    let activity = this.#recorder.activity
    let since = clock.now()
    while (!this.#ticked) {
      if (!clock.step(since + idleMs)) return false
      this.#letEnvironmentWork()
      if (this.#recorder.activity === activity) continue
      activity = this.#recorder.activity
      since = clock.now()
    }
    return true
  }

  /** Between ticks the environment acts once a second. */
  #letEnvironmentWork(): void {
    const { clock } = this.#environment
    if (this.#recorder.inTick || clock.now() < this.#settledAt + 1000) return
    this.#settledAt = clock.now()
    this.#environment.settle()
  }

  #passTime(ms: number): void {
    const { clock } = this.#environment
    clock.runUntil(clock.now() + ms)
  }

  #startController(): void {
    this.#controller?.kill()
    const { golden, flags } = { golden: this.#golden, flags: caseFlags(this.#golden) }
    const { api, clock } = this.#environment
    const recorder = this.#recorder
    this.#controller = startLocalController({
      settings: resolveSettings({ flags, env: golden.env ?? {} }),
      timeline: clock,
      random: randomStream(1, 'controller', this.#processes++),
      api: { handle: (request) => this.#handle(request), subscribe: api.subscribe, list: api.list, get: api.get },
      http: (effect, context, done) => this.#hosts.answer(effect, context, done),
      onEffect: (effect, result, context) => recorder.onEffect(effect, result, context),
      onTick: (moment) => (moment === 'begin' ? this.#beginTick() : this.#endTick()),
      onWake: (context) => {
        if (context.worker) this.#environment.settle()
      },
      onEventWrite: (write) => this.#apiEvents.push(eventRecord(write))
    })
  }

  #beginTick(): void {
    this.#environment.settle()
    this.#recorder.beginTick()
    this.#tickBegin = this.#environment.clock.now()
  }

  #endTick(): void {
    const { namespace, canary } = this.#golden
    const exists = this.#environment.api.get('flagger.app', 'canaries', namespace, canary.metadata.name) !== undefined
    if (!exists && this.#recorder.last.records.length === 0) return this.#recorder.dropTick()
    this.#recorder.endTick()
    this.#ticked = true
  }

  /** The API as the controller sees it: injected faults come first. */
  #handle(request: ApiRequest): ApiResponse {
    const fault = this.#takeFault(request)
    if (fault === undefined) return this.#environment.api.handle(request)
    const { code, reason = '', message } = fault
    return { code, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code } }
  }

  #takeFault(request: ApiRequest): ApiFault | undefined {
    const verb = WRITE_VERBS[request.method] ?? 'get'
    const target = parseApiPath(request.path)
    const name = target.name ?? (request.body as Partial<Canary> | undefined)?.metadata?.name
    const index = this.#faults.findIndex(
      (fault) =>
        fault.verb === verb &&
        fault.resource === target.resource &&
        fault.subresource === target.subresource &&
        (fault.name === undefined || fault.name === name)
    )
    const fault = this.#faults[index]
    if (fault === undefined) return undefined
    const left = (fault.times ?? 1) - 1
    if (left > 0) this.#faults[index] = { ...fault, times: left }
    else this.#faults.splice(index, 1)
    return fault
  }
}

interface Cause {
  readonly field?: string
  readonly reason?: string
  readonly message?: string
}

function sortedCauses(causes: readonly Cause[]): Cause[] {
  const key = (cause: Cause): string => `${cause.field ?? ''}\u0000${cause.message ?? ''}`
  return causes
    .map(({ field, reason, message }) => ({
      field: field ?? '<nil>',
      ...(reason === undefined ? {} : { reason }),
      ...(message === undefined ? {} : { message })
    }))
    .sort((left, right) => (key(left) < key(right) ? -1 : 1))
}

function caseFlags(golden: GoldenCase): Record<string, string> {
  return {
    'metrics-server': 'http://prometheus.test',
    'event-webhook': 'http://events.test/',
    'control-loop-interval': '1s',
    ...(golden.extraNamespaces === undefined || golden.extraNamespaces.length === 0
      ? { namespace: golden.namespace }
      : {}),
    ...parseFlags(golden.flags ?? [])
  }
}

interface EventBody {
  readonly type?: string
  readonly message?: string
  readonly count?: number
  readonly reason?: string
  readonly reportingComponent?: string
  readonly source?: { readonly component?: string }
}

function eventRecord({ verb, body }: { readonly verb: string; readonly body: unknown }): Record<string, unknown> {
  const { type, message, count, reason, reportingComponent, source } = body as EventBody
  if (verb === 'patch') return { verb, message, count }
  return { type, verb, message, count, reason, reportingComponent, source: source?.component }
}
