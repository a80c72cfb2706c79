import type { ApiChange, AppSpec, KubeObject } from '../../kinds/index.ts'
import { TwinError } from '../../lib/errors/index.ts'
import { randomStream } from '../../lib/random/index.ts'
import type { TraceBody, TraceEvent } from '../../trace/index.ts'
import { type Cluster, createCluster } from '../cluster/index.ts'
import { objectName, requireKnownImages, traceOfChange } from '../joint/index.ts'
import { applyObject, type KubeClient, KubectlError } from '../shell/index.ts'
import type { CommandResult, World, WorldFigures, WorldSpec, WorldTime } from '../world.ts'
import { createWorldApi, createWorldClient } from './api.ts'
import { commandObstacle } from './commands/command-line.ts'
import { type CommandPlace, Commands } from './commands/commands.ts'
import { type ControllerSide, startControllerSide } from './controller-side.ts'
import { runLoop, slowCookerLoop } from './loops.ts'
import { Meter } from './meter.ts'
import { startMetrics, type VirtualMetrics } from './metrics.ts'
import { OpenLoad } from './open-loads.ts'
import type { VirtualPod } from './pod.ts'
import { VirtualPods } from './pods.ts'
import { residentBytes } from './resident-memory.ts'
import type { VirtualClient } from './routes.ts'
import { Singles } from './singles.ts'
import { TraceLog } from './trace-log.ts'
import { Traffic } from './traffic.ts'
import { VirtualTime } from './virtual-time.ts'

/** First instant of a run; as in the embedded world. */
const START = Date.UTC(2026, 0, 1)

/** A world without sockets: the same models on a clock that jumps from event to event, requests drawn by the dozen. */
export class VirtualWorld implements World {
  readonly time: WorldTime
  readonly addresses: undefined = undefined
  readonly failed: Promise<never>
  readonly #spec: WorldSpec
  readonly #images: Record<string, AppSpec>
  readonly #clock: VirtualTime
  readonly #trace: TraceLog
  readonly #api: ReturnType<typeof createWorldApi>
  readonly #client: KubeClient
  readonly #pods: VirtualPods
  readonly #traffic: Traffic
  readonly #singles: Singles
  readonly #commands: Commands
  readonly #cluster: Cluster
  readonly #metrics: VirtualMetrics
  readonly #controller: ControllerSide
  readonly #loads: readonly OpenLoad[]
  readonly #loops = new Map<string, () => void>()
  readonly #fail: (error: unknown) => void
  readonly #began = performance.now()
  readonly #meter = new Meter()
  #stopped = false

  /** @throws TwinError TWIN_IMAGE_UNKNOWN, TWIN_MANIFEST_REFUSED */
  constructor(spec: WorldSpec) {
    const leave = this.#meter.enter('start')
    requireKnownImages(spec.manifests, spec.images)
    this.#spec = spec
    this.#images = { ...spec.images }
    const { promise, reject } = Promise.withResolvers<never>()
    // Whoever drives the world awaits this; a failure nobody waits for must not end the process unnamed.
    promise.catch(() => {})
    this.failed = promise
    const { seed, speed } = spec
    this.#clock = new VirtualTime({ start: START, ...(speed === undefined ? {} : { speed }), onFailure: reject })
    // Not assigned as it is written: V8 gives such a function to the old generation, where it keeps this world for long.
    const fail = (error: unknown): void => {
      this.#clock.end()
      reject(error)
    }
    this.#fail = fail
    const timeline = this.#clock
    this.#trace = new TraceLog(timeline)
    this.#api = createWorldApi(timeline, seed, this.#meter)
    this.#client = createWorldClient(this.#api)
    this.#pods = this.#createPods()
    this.#traffic = new Traffic({
      timeline,
      reader: this.#api,
      pods: this.#pods,
      random: randomStream(seed, 'traffic'),
      meter: this.#meter
    })
    this.#singles = new Singles({ timeline, pods: this.#pods, traffic: this.#traffic, seed })
    this.#commands = this.#createCommands()
    this.#metrics = startMetrics({
      timeline,
      seed,
      api: this.#api,
      pods: this.#pods,
      traffic: this.#traffic,
      meter: this.#meter
    })
    this.#watchObjects()
    this.#cluster = createCluster({
      timeline: this.#meter.timeline(timeline, 'cluster'),
      api: this.#api,
      random: randomStream(seed, 'cluster'),
      runtime: this.#pods,
      detail: 'lean'
    })
    this.applyNow(spec.manifests)
    this.#controller = startControllerSide({
      spec,
      time: timeline,
      meter: this.#meter,
      api: this.#api,
      metrics: this.#metrics,
      singles: this.#singles,
      record: (body) => this.record(body)
    })
    this.#loads = spec.load.map(
      (load) => new OpenLoad(load, { time: timeline, traffic: this.#traffic, seed }, (body) => this.#trace.record(body))
    )
    this.time = this.#worldTime()
    leave()
  }

  onTrace(listener: (event: TraceEvent) => void): void {
    this.#trace.listen(listener)
  }

  record(body: TraceBody): void {
    // What the loads counted belongs before the word that ends the run.
    if (body.kind === 'end') this.#closeLoads()
    this.#trace.record(body)
  }

  start(): void {
    this.#clock.begin()
  }

  /** Runs in the caller's own stack until the condition holds or that time (since the start) is reached. */
  runUntil(endMs: number, over: () => boolean): boolean {
    return this.#clock.runUntil(START + endMs, over)
  }

  async apply(objects: readonly KubeObject[]): Promise<void> {
    await Promise.resolve()
    this.applyNow(objects)
  }

  /** Applies objects in the same instant. @throws TwinError TWIN_IMAGE_UNKNOWN, TWIN_MANIFEST_REFUSED */
  applyNow(objects: readonly KubeObject[]): void {
    requireKnownImages(objects, this.#images)
    for (const object of objects) {
      try {
        applyObject(this.#client, object, 'default')
      } catch (cause) {
        if (!(cause instanceof KubectlError)) throw cause
        throw new TwinError('TWIN_MANIFEST_REFUSED', `${objectName(object)}: ${cause.message}`, {
          details: { object: objectName(object), apiVersion: object.apiVersion },
          cause
        })
      }
    }
  }

  get(kind: string, name: string): KubeObject | undefined {
    const resource = this.#client.resourceOf(kind)
    const slash = name.indexOf('/')
    const namespace = slash < 0 ? 'default' : name.slice(0, slash)
    const { group, resource: plural, namespaced } = resource
    return this.#api.get(group, plural, namespaced ? namespace : undefined, name.slice(slash + 1))
  }

  run(command: string, options: { readonly from?: string } = {}): Promise<CommandResult> {
    return new Promise((resolve) => this.runNow(command, options, resolve))
  }

  /** Runs a command of the closed list; `done` hears how it ended, at once where it waits for nothing. */
  runNow(command: string, options: { readonly from?: string }, done: (result: CommandResult) => void): void {
    const finish = (result: CommandResult): void => {
      this.#clock.touched()
      done(result)
    }
    const [namespace = 'default', name = ''] = (options.from ?? '').split('/')
    const place: CommandPlace | undefined =
      options.from === undefined ? { kind: 'terminal' } : this.#placeOf(namespace, name)
    if (place === undefined) {
      return finish({ exitCode: 1, stdout: '', stderr: `no pod of ${options.from ?? ''} is running\n` })
    }
    this.#commands.run(command, place, finish)
  }

  setFaults(image: string, spec: AppSpec): void {
    this.#traffic.settle()
    this.#images[image] = spec
    for (const pod of this.#pods.all()) {
      for (const container of pod.containers.values()) {
        if (container.container.image === image) container.change(spec)
      }
    }
  }

  query(expression: string): ReturnType<World['query']> {
    const outcome = this.#metrics.engine.instant(expression, this.#clock.now())
    if (!outcome.ok) throw new TwinError('TWIN_SCENARIO_INVALID', `${expression}: ${outcome.error}`)
    if (outcome.value.type === 'scalar') return [{ labels: {}, value: outcome.value.value }]
    if (outcome.value.type !== 'vector') return []
    return outcome.value.elements.map(({ labels, value }) => ({ labels: labels.toRecord(), value }))
  }

  figures(): WorldFigures {
    this.#traffic.settle()
    return {
      simulatedMs: this.#clock.now() - START,
      wallMs: Math.round(performance.now() - this.#began),
      load: this.#loads.map((load) => load.totals()),
      wallMsBy: this.#meter.byUse(),
      tlsHandshakes: 0,
      peakRssBytes: residentBytes()
    }
  }

  stop(): Promise<void> {
    if (!this.#stopped) {
      this.#stopped = true
      this.#clock.end()
      this.#controller.stop()
      this.#metrics.stop()
      this.#cluster.stop()
      this.#commands.stop()
    }
    return Promise.resolve()
  }

  #worldTime(): WorldTime {
    const clock = this.#clock
    return {
      nowMs: () => clock.now() - START,
      at: (dueMs, run) => {
        const scheduled = clock.at(START + dueMs, () => {
          clock.touched()
          run()
        })
        return () => scheduled.cancel()
      },
      hold: (name) => clock.hold(name)
    }
  }

  #createPods(): VirtualPods {
    return new VirtualPods({
      timeline: this.#clock,
      reader: this.#api,
      seed: this.#spec.seed,
      adminTraffic: this.#spec.mesh.adminTraffic,
      images: this.#images,
      onUnknownImage: (error) => this.#fail(error),
      fetch: (pod, request, done) => this.#singles.send(clientOf(pod), request, done),
      shell: (place, argv, timeoutMs, done) => this.#shell(`${place.namespace}/${place.pod}`, argv, timeoutMs, done),
      exited: (pod, container, code) => this.#cluster.containerExited(pod.key, container, code),
      changing: () => {
        this.#traffic.settle()
        this.#traffic.replan()
      },
      listening: (pod, container) => {
        const loop = slowCookerLoop(container.spec, container.container)
        if (loop === undefined) return
        const stop = runLoop({ timeline: this.#clock, traffic: this.#traffic }, clientOf(pod), loop, () =>
          container.exitSoon(0)
        )
        this.#loops.get(pod.key)?.()
        this.#loops.set(pod.key, stop)
      }
    })
  }

  #createCommands(): Commands {
    const timeline = this.#clock
    return new Commands({
      timeline,
      client: this.#client,
      fetch: (from, request, done) => this.#singles.send(from, request, done),
      loop: (from, spec, done) => runLoop({ timeline, traffic: this.#traffic }, from, spec, done),
      placeOf: (namespace, name) => this.#placeOf(namespace, name)
    })
  }

  #watchObjects(): void {
    this.#api.subscribe((change) => {
      const { group, resource, object } = change
      const body = traceOfChange(change, (canary) => this.#controller?.tickOf(canary) ?? 0)
      if (body?.kind === 'weight') {
        this.#traffic.settle()
        for (const load of this.#loads) load.changeWeight(body.canaryPercent)
      }
      if (body !== undefined) this.#trace.record(body)
      this.#traffic.objectChanged(change)
      if (group !== '' || resource !== 'pods') return
      if (movesTargets(change)) this.#metrics.podsChanged()
      if (change.type === 'DELETED') this.#endLoop(`${object.metadata.namespace ?? ''}/${object.metadata.name}`)
    })
  }

  #endLoop(podKey: string): void {
    this.#loops.get(podKey)?.()
    this.#loops.delete(podKey)
  }

  #closeLoads(): void {
    this.#traffic.settle()
    for (const load of this.#loads) load.closeStep()
  }

  /** A command that an app runs (the load tester's tasks), bounded by the app's own time-out. */
  #shell(
    podKey: string,
    argv: readonly string[],
    timeoutMs: number,
    done: (result: { readonly exitCode: number; readonly output: string }) => void
  ): void {
    const pod = this.#pods.get(podKey)
    const script = argv.length === 3 && /^-\w*c$/.test(argv[1] ?? '') ? (argv[2] ?? '') : argv.join(' ')
    const obstacle = commandObstacle(script)
    if (pod === undefined || obstacle !== undefined) {
      if (obstacle !== undefined) {
        this.#fail(new TwinError('TWIN_USAGE', `the virtual world does not run "${script}": ${obstacle}`))
      }
      return done({ exitCode: 127, output: '' })
    }
    const timer = this.#clock.at(this.#clock.now() + timeoutMs, () => cancel())
    const cancel = this.#commands.run(script, { kind: 'pod', client: clientOf(pod) }, (result) => {
      timer.cancel()
      done({ exitCode: result.exitCode, output: result.stdout + result.stderr })
    })
  }

  /** A pod by its own name or that of its workload. */
  #placeOf(namespace: string, name: string): CommandPlace | undefined {
    for (const pod of this.#pods.all()) {
      if (pod.namespace !== namespace || !pod.up) continue
      const own = pod.object.metadata.name
      if (own === name || workloadOf(pod.object) === name) return { kind: 'pod', client: clientOf(pod) }
    }
    return undefined
  }
}

function clientOf(pod: VirtualPod): VirtualClient {
  return { key: pod.key, namespace: pod.namespace, identity: pod.identity }
}

interface PlacedPod {
  readonly status?: { readonly podIP?: string; readonly phase?: string }
}

/** Whether a change of a pod may matter to service discovery: most are about its containers and conditions. */
function movesTargets({ type, object, previous }: ApiChange): boolean {
  if (type !== 'MODIFIED' || previous === undefined) return true
  const now = (object as PlacedPod).status
  const before = (previous as PlacedPod).status
  if (now?.podIP !== before?.podIP || now?.phase !== before?.phase) return true
  const { labels, annotations } = object.metadata
  return !sameTexts(labels, previous.metadata.labels) || !sameTexts(annotations, previous.metadata.annotations)
}

function sameTexts(left: Readonly<Record<string, string>> = {}, right: Readonly<Record<string, string>> = {}): boolean {
  if (left === right) return true
  const names = Object.keys(left)
  return names.length === Object.keys(right).length && names.every((name) => left[name] === right[name])
}

/** Name of the Deployment (or other owner) a pod belongs to. */
function workloadOf(pod: KubeObject): string | undefined {
  const owner = pod.metadata.ownerReferences?.find((reference) => reference.controller === true)
  const hash = pod.metadata.labels?.['pod-template-hash']
  return hash !== undefined && owner?.name.endsWith(`-${hash}`) === true
    ? owner.name.slice(0, -hash.length - 1)
    : owner?.name
}
