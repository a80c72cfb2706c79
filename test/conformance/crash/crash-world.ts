import { randomStream } from '../../../src/lib/random/index.ts'
import type { Instant } from '../../../src/lib/time/index.ts'
import type { ApiRequest, ApiResponse, Canary } from '../../../src/kinds/index.ts'
import {
  startLocalController,
  type Effect,
  type Fault,
  type LocalController,
  type RunContext
} from '../../../src/world/controller/index.ts'
import type { ApiFault, GoldenCase, TraceRecord } from '../golden/case.ts'
import { Environment, START, type EnvironmentState } from '../golden/environment.ts'
import { faultAnswer, takeFault } from '../golden/faults.ts'
import { ScriptedHosts, type HostState } from '../golden/http.ts'
import { execute } from '../golden/script.ts'
import { caseSettings } from '../golden/settings.ts'
import type { StateDigests } from './digest.ts'
import { ForkClock } from './fork-clock.ts'
import { ScriptProgress, type ScriptState } from './script-progress.ts'

const LOOP_MS = 1000
const IDLE_MAX_MS = 300_000
const SETTLE_SECONDS = 4

/** What is set back with a tick that died: answers, pending errors and the script. */
export interface Outside {
  readonly hosts: HostState
  readonly faults: readonly ApiFault[]
  readonly script: ScriptState
}

/** A world between two ticks. */
export interface Moment {
  readonly at: Instant
  readonly environment: EnvironmentState
  readonly outside: Outside
  readonly events: readonly string[]
}

/** Told about everything in a run that a drill counts or injects. */
export interface DrillPorts {
  /** Asked before each effect. */
  readonly fault: (effect: Effect, context: RunContext) => Fault | undefined
  /** Told after each effect. */
  readonly performed: (effect: Effect) => void
  /** Something that users meet may have changed. */
  readonly observe: () => void
}

/** How waiting for a tick ended. */
export type TickEnd = 'tick' | 'died' | 'silent'

/** A recorded case whose controller may die at any effect, and that can go back to any moment between ticks. */
export class CrashWorld {
  readonly environment: Environment
  readonly script: ScriptProgress
  readonly #digests: StateDigests
  /** Changes of the API, Events left out. */
  changes = 0
  /** Instant at which the last tick began. */
  tickBegin: Instant = START
  inTick = false
  /** Oddities that controllers started from now on do not have. */
  quirksOff: readonly string[] = []
  readonly #golden: GoldenCase
  readonly #clock = new ForkClock(START)
  readonly #hosts: ScriptedHosts
  readonly #ports: DrillPorts
  #faults: ApiFault[] = []
  #controller: LocalController | undefined
  #outsideAtTick: Outside
  #activity = 0
  #recorded = 0
  #settledAt: Instant = 0
  #ended: TickEnd | undefined

  /** @param digests - of this world and of those whose moments it loads */
  constructor(golden: GoldenCase, ports: DrillPorts, digests: StateDigests) {
    this.#golden = golden
    this.#ports = ports
    this.#digests = digests
    this.environment = new Environment(golden, this.#clock)
    this.script = new ScriptProgress(golden.script)
    this.#hosts = new ScriptedHosts(golden, { add: (record) => this.#record(record) }, this.#clock)
    this.#outsideAtTick = this.outside()
    this.environment.api.subscribe(({ resource }) => {
      if (resource === 'events') return
      this.changes++
      if (!UNSEEN.has(resource)) ports.observe()
    })
  }

  get now(): Instant {
    return this.#clock.now()
  }

  get canary(): Canary | undefined {
    const { namespace, canary } = this.#golden
    return this.environment.api.get('flagger.app', 'canaries', namespace, canary.metadata.name) as Canary | undefined
  }

  /** Creates the canary; whether the server took it. */
  createCanary(): boolean {
    return this.environment.create(this.#golden.canary, this.#golden.namespace).code < 300
  }

  /** Where answers stand, as text. */
  get answers(): string {
    return `${this.#hosts.digest()} ${JSON.stringify(this.#faults)}`
  }

  digest(): string {
    return this.#digests.digest(this.environment.api)
  }

  save(): Moment {
    return {
      at: this.now,
      environment: this.environment.save(),
      outside: this.outside(),
      events: [...this.script.events]
    }
  }

  load(moment: Moment): void {
    this.stop()
    this.#clock.fork(moment.at)
    this.#ended = undefined
    this.inTick = false
    this.#settledAt = moment.at
    this.environment.load(moment.environment)
    this.rewind(moment.outside, moment.events)
    this.changes = 0
  }

  outside(): Outside {
    return { hosts: this.#hosts.save(), faults: [...this.#faults], script: this.script.save() }
  }

  /** Sets answers and script back to where they stood when the last tick began. */
  rewindTick(): void {
    this.rewind(this.#outsideAtTick)
  }

  rewind(outside: Outside, events?: readonly string[]): void {
    this.#hosts.load(outside.hosts)
    this.#faults = [...outside.faults]
    this.script.load(outside.script, events)
  }

  /** Starts a controller process; its first tick comes after `loopMs` simulated milliseconds. */
  start(loopMs: number = LOOP_MS): void {
    this.stop()
    const { api } = this.environment
    this.#controller = startLocalController({
      settings: { ...caseSettings(this.#golden, this.quirksOff), controlLoopIntervalMs: loopMs },
      random: randomStream(1, 'drill', this.now),
      timeline: this.#clock,
      api: { ...api, handle: (request) => this.#handle(request) },
      http: (effect, context, done) => this.#hosts.answer(effect, context, done),
      onWake: (context) => {
        if (context.worker) this.environment.settle()
      },
      onTick: (moment) => (moment === 'begin' ? this.#beginTick() : this.#endTick()),
      onEffect: (effect, result) => {
        if (effect.effect === 'random' && effect.of === 'letters') this.#digests.drawn.add(String(result))
        this.#ports.performed(effect)
      },
      fault: (effect, context) => this.#ports.fault(effect, context),
      onCrash: () => {
        this.#ended = 'died'
      }
    })
    this.#clock.runUntil(this.now)
  }

  /** Ends the controller process. */
  stop(): void {
    this.#controller?.kill()
    this.#controller = undefined
  }

  /** Lets time pass until a tick has ended, the controller has died, or nothing happens any more. */
  nextTick(): TickEnd {
    const { idleSeconds } = this.#golden
    const idleMs = idleSeconds === undefined ? IDLE_MAX_MS : idleSeconds * 1000
    let activity = this.#activity
    let since = this.now
    while (this.#ended === undefined) {
      if (!this.#clock.step(since + idleMs)) return 'silent'
      this.#letEnvironmentWork()
      if (this.#activity === activity) continue
      activity = this.#activity
      since = this.now
    }
    const ended = this.#ended
    this.#ended = undefined
    return ended
  }

  /** Everything comes to rest after a tick, as in the replay of a trace. */
  settleAfterTick(): void {
    this.inTick = false
    for (let second = 0; second <= SETTLE_SECONDS; second++) {
      const to = this.tickBegin + second * 1000
      if (to > this.now) this.#clock.runUntil(to)
      this.environment.settle()
      this.#ports.observe()
    }
  }

  /** The steps of the script that are due now. @param phase - phase that the script sees; default the canary's */
  actScript(phase: string = String(this.canary?.status?.phase)): void {
    const { namespace } = this.#golden
    const ports = { namespace, environment: this.environment, hosts: this.#hosts, faults: this.#faults }
    for (const step of this.script.takeDue(phase)) {
      for (const action of step.do) {
        execute(action, ports)
        this.#activity++
        if (action.restartController !== undefined) this.start()
      }
    }
    this.environment.settle()
  }

  #handle(request: ApiRequest): ApiResponse {
    if (request.method !== 'GET') this.#note()
    const fault = takeFault(this.#faults, request)
    return fault === undefined ? this.environment.api.handle(request) : faultAnswer(fault)
  }

  #record(record: TraceRecord): void {
    this.#note()
    if (record.t === 'event') this.script.events.push(String(record['message']))
  }

  #note(): void {
    this.#activity++
    this.#recorded++
  }

  #beginTick(): void {
    this.environment.settle()
    this.inTick = true
    this.tickBegin = this.now
    this.#outsideAtTick = this.outside()
    this.#activity++
    this.#recorded = 0
  }

  #endTick(): void {
    this.inTick = false
    // A tick of a canary that is gone does not count.
    if (this.canary === undefined && this.#recorded === 0) return
    this.#ended = 'tick'
  }

  #letEnvironmentWork(): void {
    if (this.inTick || this.now < this.#settledAt + 1000) return
    this.#settledAt = this.now
    this.environment.settle()
  }
}

/** Resources that change too often to look at the traffic after each change. */
const UNSEEN = new Set([
  'pods',
  'replicasets',
  'endpoints',
  'endpointslices',
  'controllerrevisions',
  'canaries',
  'nodes'
])
