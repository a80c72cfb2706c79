import type { AppSpec, MeshSpec } from '../../kinds/index.ts'
import type { Hold } from '../../lib/time/index.ts'
import type { AppContainer, AppCore } from '../../model/app/index.ts'
import type { ApiServer } from '../../model/apiserver/index.ts'
import type { DiscoveredPod, ScrapeResult, ScrapeTask } from '../../model/scrape/index.ts'
import { type ClientIdentity, createDataplane, type Dataplane, type RequestObservation } from '../dataplane/index.ts'
import type { WorldShell } from '../shell/index.ts'
import type { WorldClock } from './clock.ts'
import { isPrometheus, podDiscovery, roleOfImage } from '../joint/index.ts'
import { openUpstream, type Upstream } from './load/upstream.ts'

/** Who scrapes. */
const PROMETHEUS: ClientIdentity = { namespace: 'linkerd-viz', name: 'prometheus', serviceAccount: 'prometheus' }

/** The data plane of a world with the ways into it. */
export interface Network {
  readonly plane: Dataplane
  /** A client's way into the mesh, opened on first use and kept. */
  upstreamOf(client: ClientIdentity): Promise<Upstream>
  /** One scrape of a proxy, over HTTP, as the mesh's Prometheus makes it. */
  scrape(task: ScrapeTask, holdId: number): Promise<ScrapeResult>
  /** Pods as service discovery sees them: those with a proxy have its container. */
  discoveredPods(): readonly DiscoveredPod[]
  close(): Promise<void>
}

/** Options of {@link createNetwork}. */
export interface NetworkOptions {
  readonly clock: WorldClock
  readonly api: ApiServer
  readonly seed: number
  readonly mesh: MeshSpec
  readonly images: Readonly<Record<string, AppSpec>>
  /** The app of a container that stands for a part of the world. */
  readonly ownApp: (container: AppContainer) => AppCore | undefined
  readonly shell: () => WorldShell
  /** Real port of the world's Prometheus. */
  readonly prometheusPort: number
  readonly onRequest: (observation: RequestObservation) => void
  readonly onExit: (namespace: string, pod: string, container: string, exitCode: number) => void
}

/** Makes the data plane and connects it to shell and Prometheus. */
export function createNetwork(options: NetworkOptions): Network {
  const { clock, api, images } = options
  const commands = new AppCommands()
  const plane = createDataplane({
    timeline: clock,
    ...(clock.holding ? { holds: clock } : {}),
    api,
    seed: options.seed,
    mesh: options.mesh,
    specFor: (image) => specOf(image, images),
    ownApp: options.ownApp,
    onRequest: options.onRequest,
    onExit: options.onExit,
    shell: (place, argv, timeoutMs, hold) => runForApp(options, commands, { place, argv, timeoutMs, hold }),
    outside: (host, port) => (isPrometheus(host, port) ? options.prometheusPort : undefined)
  })
  const discovered = podDiscovery()
  const upstreams = new Map<string, Promise<Upstream>>()
  const upstreamOf = (client: ClientIdentity): Promise<Upstream> => {
    const key = `${client.namespace}/${client.name}`
    const opened = upstreams.get(key) ?? open(plane, clock, client)
    upstreams.set(key, opened)
    return opened
  }
  const unsubscribe = api.subscribe((change) => {
    if (change.group !== '' || change.resource !== 'pods' || change.type !== 'DELETED') return
    const key = `${change.object.metadata.namespace ?? ''}/${change.object.metadata.name}`
    commands.endThoseOf(key)
    void upstreams.get(key)?.then((upstream) => upstream.close())
    upstreams.delete(key)
  })
  return {
    plane,
    upstreamOf,
    scrape: (task, holdId) => scrape(clock, upstreamOf, task, holdId),
    discoveredPods: () => api.list('', 'pods').map(discovered),
    async close(): Promise<void> {
      unsubscribe()
      await commands.close()
      await Promise.all([...upstreams.values()].map(async (upstream) => (await upstream).close()))
      await plane.close()
    }
  }
}

async function open(plane: Dataplane, clock: WorldClock, client: ClientIdentity): Promise<Upstream> {
  const { port } = await plane.outboundFor(client)
  return openUpstream(clock, `http://127.0.0.1:${port}`)
}

function specOf(image: string, images: Readonly<Record<string, AppSpec>>): AppSpec | undefined {
  const role = roleOfImage(image, images)
  if (role.role === 'app') return role.spec
  return role.role === 'stand-in' ? { app: 'pause', faults: [], options: {} } : undefined
}

interface AppCommand {
  readonly place: { readonly namespace: string; readonly pod: string; readonly container: string }
  readonly argv: readonly string[]
  readonly timeoutMs: number
  readonly hold: Hold | undefined
}

/** Commands of apps that are under way: they end with their pod, as its processes do, and with the world. */
class AppCommands {
  readonly #running = new Map<AbortController, { readonly pod: string; readonly ended: Promise<unknown> }>()

  /** Keeps a command until it has ended. */
  add(abort: AbortController, pod: string, ended: Promise<unknown>): void {
    this.#running.set(abort, { pod, ended })
    const forget = (): void => void this.#running.delete(abort)
    ended.then(forget, forget)
  }

  /** @param pod - `namespace/name` */
  endThoseOf(pod: string): void {
    for (const [abort, command] of this.#running) if (command.pod === pod) abort.abort()
  }

  async close(): Promise<void> {
    for (const abort of this.#running.keys()) abort.abort()
    await Promise.allSettled([...this.#running.values()].map(({ ended }) => ended))
  }
}

/** A command that an app runs (the load tester's tasks, exec probes): bounded by the app's own time-out. */
async function runForApp(
  options: NetworkOptions,
  commands: AppCommands,
  { place, argv, timeoutMs, hold }: AppCommand
): Promise<{ readonly exitCode: number; readonly output: string }> {
  const { clock } = options
  const abort = new AbortController()
  const timer = clock.at(clock.now() + timeoutMs, () => abort.abort())
  const shell = options.shell()
  const runOptions = { place: { kind: 'pod', ...place } as const, signal: abort.signal }
  const script = argv.length === 3 && /^-\w*c$/.test(argv[1] ?? '') ? argv[2] : undefined
  const running = script === undefined ? shell.exec(argv, runOptions) : shell.run(script, runOptions)
  commands.add(abort, `${place.namespace}/${place.pod}`, running)
  hold?.suspend()
  try {
    const { exitCode, stdout, stderr } = await running
    return { exitCode: abort.signal.aborted ? 137 : exitCode, output: stdout + stderr }
  } finally {
    timer.cancel()
    hold?.resume()
  }
}

async function scrape(
  clock: WorldClock,
  upstreamOf: Network['upstreamOf'],
  task: ScrapeTask,
  holdId: number
): Promise<ScrapeResult> {
  const began = clock.now()
  const hold = clock.find(holdId) ?? clock.hold('scrape')
  const upstream = await upstreamOf(PROMETHEUS)
  const answer = await upstream.send(
    {
      method: 'GET',
      path: task.target.path,
      host: task.target.address,
      headers: { accept: 'text/plain;version=0.0.4', 'user-agent': 'Prometheus/2.55.1' },
      timeoutMs: task.target.timeoutMs,
      key: `scrape ${task.target.address} ${task.scheduledMs}`
    },
    hold
  )
  const durationMs = clock.now() - began
  if (!answer.ok) return { ok: false, error: answer.message, durationMs }
  if (answer.status !== 200) return { ok: false, error: `server returned HTTP status ${answer.status}`, durationMs }
  return { ok: true, body: answer.body, contentType: String(answer.headers['content-type'] ?? ''), durationMs }
}
