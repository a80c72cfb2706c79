import { hostname } from 'node:os'
import type { AppSpec } from '../../kinds/index.ts'
import { SystemClock } from '../../lib/time/index.ts'
import type { AppFetch, AppFetchResult } from '../../model/app/index.ts'
import { ContainerHost } from './container-host.ts'
import { type Cancellable, HoldUsers } from './holds.ts'

/** An app that runs as a process of its own. */
export interface AppProcess {
  /**
   * Where its first port listens, as a client on this machine reaches it; undefined for an app without ports.
   * @throws TwinError TWIN_PORT_IN_USE, TWIN_WORLD_START
   */
  readonly opened: Promise<string | undefined>
  /** Resolves with the exit code once the app ends by itself or was told to. */
  readonly ended: Promise<number>
  /** SIGTERM: drains as the app does. */
  terminate(): void
  /** Ends at once. */
  stop(): void
}

/** How the process was started. */
export interface AppProcessStart {
  /** Arguments of the app itself (`--ui-color=blue`). */
  readonly argv?: readonly string[]
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Address to bind; default loopback. */
  readonly host?: string
  /** Called with each line the app logs. */
  readonly onLog?: (line: string) => void
}

/** Longest wait a timer takes: what keeps a process alive whose app neither listens nor waits. */
const FOREVER_WALL_MS = 2 ** 31 - 1

/**
 * Serves one app on real time and real ports: what the image of a behaviour runs in a real cluster.
 * @param port - listens there instead of the app's first port; 0: any free port; undefined: the app's own
 */
export function serveAppProcess(spec: AppSpec, port: number | undefined, options: AppProcessStart = {}): AppProcess {
  const clock = new SystemClock()
  let stopped = false
  clock.onDue((delayMs) => {
    if (!stopped) setTimeout(() => clock.runDue(), Math.max(0, delayMs)).unref()
  })
  let end: (code: number) => void = () => {}
  const ended = new Promise<number>((resolve) => {
    end = resolve
  })
  const host: ContainerHost = new ContainerHost({
    spec: { ...spec, startupMs: 0 },
    container: {
      name: spec.app,
      image: `${spec.app}:${spec.version ?? 'latest'}`,
      command: [spec.app],
      args: options.argv ?? [],
      env: Object.entries(options.env ?? {}).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value] as const]
      ),
      hostname: hostname(),
      namespace: 'default',
      files: {},
      containerPorts: []
    },
    seed: clock.now() | 0,
    timeline: clock,
    holds: undefined,
    users: new HoldUsers(),
    startedAt: clock.now(),
    bindHost: options.host ?? '127.0.0.1',
    realPorts: (own) => (port !== undefined && own === host.app.ports[0] ? port : own),
    fetch: plainFetch,
    shell: async (argv) => ({ exitCode: 127, output: `${argv[0] ?? ''}: not found\n` }),
    exited: (code) => finish(code),
    ...(options.onLog === undefined ? {} : { logged: options.onLog })
  })
  const staying = setInterval(() => {}, FOREVER_WALL_MS)
  function finish(code: number): void {
    stopped = true
    clearInterval(staying)
    void host.end().then(() => end(code))
  }
  const opened = host.listenNow().then((realPort) => (realPort === 0 ? undefined : `http://127.0.0.1:${realPort}`))
  opened.catch(() => finish(3))
  return {
    opened,
    ended,
    terminate: () => {
      const drainMs = host.terminate(clock.now())
      setTimeout(() => finish(0), drainMs)
    },
    stop: () => finish(0)
  }
}

/** A call of an app that runs as a process: plain HTTP to wherever the name leads. */
function plainFetch(request: AppFetch, _hold: unknown, done: (result: AppFetchResult) => void): Cancellable {
  const abort = new AbortController()
  const startedAt = performance.now()
  const elapsed = (): number => performance.now() - startedAt
  const signal = Number.isFinite(request.timeoutMs)
    ? AbortSignal.any([abort.signal, AbortSignal.timeout(request.timeoutMs)])
    : abort.signal
  const { url, method, headers } = request
  const call = async (): Promise<AppFetchResult | undefined> => {
    try {
      const init = { method, headers, signal, redirect: 'manual' as const }
      const answer = await fetch(url, request.body === '' ? init : { ...init, body: request.body })
      const body = await answer.text()
      return {
        ok: true,
        status: answer.status,
        headers: Object.fromEntries(answer.headers),
        body,
        elapsedMs: elapsed()
      }
    } catch (error) {
      if (abort.signal.aborted) return undefined
      const timedOut = error instanceof DOMException && error.name === 'TimeoutError'
      return { ok: false, reason: timedOut ? 'timeout' : 'refused', message: String(error), elapsedMs: elapsed() }
    }
  }
  void (async (): Promise<void> => {
    const result = await call()
    if (result !== undefined) done(result)
  })()
  return { cancel: () => abort.abort() }
}
