import { randomStream, type Random } from '../../../src/lib/random/index.ts'
import type { Instant, Timeline } from '../../../src/lib/time/index.ts'
import type { ApiRequest, ApiResponse, KubeObject } from '../../../src/kinds/index.ts'
import type { ControllerSettings, OnEffect, OnEventWrite, RunContext } from '../../../src/world/controller/index.ts'
import type { ApiFault, GoldenCase, GoldenTrace, TraceRecord } from './case.ts'
import { Environment } from './environment.ts'
import { faultAnswer, readFault, takeFault } from './faults.ts'
import { ScriptedHosts } from './http.ts'
import { withPlaceholders } from './placeholders.ts'
import { TraceRecorder } from './recorder.ts'
import { execute, TriggerWatch } from './script.ts'
import { caseSettings } from './settings.ts'
import { stateAfter } from './state.ts'

/** A case that neither ticks nor ends is given up after this much simulated time. */
const IDLE_MAX_MS = 300_000
/** After so many seconds of a tick its outcome is taken and the script acts. */
const SETTLE_SECONDS = 4

/**
 * What a replay asks of its driver: start the controller (again), let time pass to an instant, or until a tick has
 * ended. The driver answers the last one with whether there was a tick.
 */
export type ReplayStep =
  | { readonly step: 'start' }
  | { readonly step: 'advance'; readonly to: Instant }
  | { readonly step: 'tick' }

/** What both drivers hand to the controller. */
export interface ControllerPorts {
  readonly settings: ControllerSettings
  readonly random: Random
  readonly onEffect: OnEffect
  readonly onTick: (moment: 'begin' | 'end', context: RunContext) => void
  readonly onEventWrite: OnEventWrite
}

/** A case under replay: environment, scripted hosts, recorder and script; the driver moves time and runs the controller. */
export class Replay {
  readonly environment: Environment
  readonly hosts: ScriptedHosts
  readonly recorder: TraceRecorder
  /** Set when a tick has ended; the driver clears it. */
  ticked = false
  readonly #golden: GoldenCase
  readonly #quirksOff: readonly string[]
  readonly #faults: ApiFault[] = []
  readonly #apiEvents: Record<string, unknown>[] = []
  #processes = 0
  #tickBegin: Instant = 0
  #settledAt: Instant = 0

  constructor(golden: GoldenCase, clock: Timeline, quirksOff: readonly string[] = []) {
    this.#quirksOff = quirksOff
    this.#golden = golden
    this.environment = new Environment(golden, clock)
    this.recorder = new TraceRecorder(golden)
    this.hosts = new ScriptedHosts(golden, this.recorder, clock)
  }

  /** The case from its manifests to its end. */
  *run(): Generator<ReplayStep, void, boolean> {
    const golden = this.#golden
    for (const { manifest, response } of this.environment.refusals) this.#addRefusal(manifest, response)
    yield { step: 'start' }
    const created = this.environment.create(golden.canary, golden.namespace)
    if (created.code >= 300) return this.#addRefusal(golden.canary, created)
    this.#endedInSilence = !(yield* this.#tickThrough())
  }

  #endedInSilence = false

  /** The trace in the recorded form. @param metrics - lines of the controller's own metrics */
  trace(metrics: string[]): GoldenTrace {
    const golden = this.#golden
    const trace = this.recorder.trace({
      ...(this.#endedInSilence ? { final: stateAfter(this.environment.api, golden) } : {}),
      ...(golden.recordApiEvents === true ? { apiEvents: this.#apiEvents } : {}),
      ...(golden.logs === undefined ? {} : { logs: this.recorder.logs }),
      controllerMetrics: metrics
    })
    return withPlaceholders(trace, this.recorder.cookies)
  }

  /** Settings and hooks of the next controller process. */
  nextProcess(): ControllerPorts {
    const settings = caseSettings(this.#golden, this.#quirksOff)
    return {
      settings,
      random: randomStream(1, 'controller', this.#processes++),
      onEffect: (effect, result, context) => this.recorder.onEffect(effect, result, context),
      onTick: (moment) => (moment === 'begin' ? this.#beginTick() : this.#endTick()),
      onEventWrite: (write) => this.#apiEvents.push(eventRecord(write))
    }
  }

  /** Longest time without anything happening. */
  get idleMs(): number {
    return this.#golden.idleSeconds === undefined ? IDLE_MAX_MS : this.#golden.idleSeconds * 1000
  }

  /** Between ticks the environment acts once a second; called whenever time has passed. */
  letEnvironmentWork(): void {
    const now = this.environment.clock.now()
    if (this.recorder.inTick || now < this.#settledAt + 1000) return
    this.#settledAt = now
    this.environment.settle()
  }

  /** The API as the controller sees it: injected faults come first. */
  handle(request: ApiRequest): ApiResponse {
    const fault = takeFault(this.#faults, request)
    if (fault === undefined) return this.environment.api.handle(request)
    if (request.method === 'GET') this.recorder.add(readFault(fault, request))
    return faultAnswer(fault)
  }

  #addRefusal(object: KubeObject, response: ApiResponse): void {
    const status = response.body as { reason?: string; details?: { causes?: Cause[] } }
    this.recorder.add({
      t: 'admission',
      kind: object.kind,
      name: object.metadata.name,
      accepted: false,
      code: response.code,
      reason: status.reason,
      causes: sortedCauses(status.details?.causes ?? [])
    })
  }

  /** Runs tick after tick, with the script in between; whether the case ended by its condition (and not by silence). */
  *#tickThrough(): Generator<ReplayStep, boolean, boolean> {
    const { script, until, maxTicks } = this.#golden
    const steps = script.map((step) => ({ ...step, watch: new TriggerWatch(step.after), done: false }))
    const end = new TriggerWatch(until)
    for (;;) {
      if (!(yield { step: 'tick' })) return false
      yield* this.#settleWithTime()
      const state = stateAfter(this.environment.api, this.#golden)
      this.recorder.last.after = state
      const tick = this.recorder.last.n
      const progress = { tick, phase: String(state['phase']), events: this.recorder.events }
      if (end.isDue(progress) || tick >= maxTicks) return true
      for (const step of steps) {
        if (step.done || !step.watch.isDue(progress)) continue
        step.done = true
        for (const action of step.do) yield* this.#act(action)
      }
      this.environment.settle()
    }
  }

  /** Everything comes to rest after a tick; what takes seconds (pods with minReadySeconds) gets them. */
  *#settleWithTime(): Generator<ReplayStep, void, boolean> {
    for (let second = 0; second <= SETTLE_SECONDS; second++) {
      const to = this.#tickBegin + second * 1000
      if (to > this.environment.clock.now()) yield { step: 'advance', to }
      this.environment.settle()
    }
  }

  *#act(action: GoldenCase['script'][number]['do'][number]): Generator<ReplayStep, void, boolean> {
    const record: TraceRecord = { t: 'script', do: action }
    this.recorder.add(record)
    const { environment, hosts } = this
    const response = execute(action, { namespace: this.#golden.namespace, environment, hosts, faults: this.#faults })
    if (action.restartController !== undefined) yield { step: 'start' }
    if (response === undefined || response.code < 300) return
    record['result'] = response.code
    record['error'] = (response.body as { message?: string }).message
  }

  #beginTick(): void {
    this.environment.settle()
    this.recorder.beginTick()
    this.#tickBegin = this.environment.clock.now()
  }

  #endTick(): void {
    const { namespace, canary } = this.#golden
    const exists = this.environment.api.get('flagger.app', 'canaries', namespace, canary.metadata.name) !== undefined
    if (!exists && this.recorder.last.records.length === 0) return this.recorder.dropTick()
    this.recorder.endTick()
    this.ticked = true
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
