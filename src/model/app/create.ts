import type { AppSpec } from '../../kinds/index.ts'
import { TwinError } from '../../lib/errors/index.ts'
import type { Instant } from '../../lib/time/index.ts'
import type { App, AppCore, AppOptions, AppRequest } from './app.ts'
import { type FaultVerdict, judgeFaults, pathOf, sampleDelay } from './faults.ts'
import { createNginx } from './nginx.ts'
import { type AppPlan, respond, sleep } from './plan.ts'
import { createPodinfo } from './podinfo.ts'
import { createSlowCooker } from './slow-cooker.ts'
import { createHelloWorld, createPause, createTestApp } from './small-apps.ts'

/** Service time of a request where a behaviour names none: about a millisecond. */
const DEFAULT_LATENCY = { kind: 'lognormal', medianMs: 0.8, sigma: 0.35 } as const

/** Paths that answer whether a process is ready, by convention of the apps here. */
const READY_PATHS: ReadonlySet<string> = new Set(['/readyz', '/ready'])

/**
 * Starts an app.
 * @throws TwinError TWIN_USAGE for an app another room makes (`load-tester`)
 */
export function createApp(options: AppOptions): App {
  return wrapApp(createCore(options), options)
}

/** Adds to an app what is the same for all: declared faults, service time, start-up time. */
export function wrapApp(core: AppCore, options: AppOptions): App {
  let spec = options.spec
  const ready = (now: Instant): boolean =>
    !spec.faults.some((fault) => fault.kind === 'not-ready' && now >= options.startedAt + fault.afterMs)
  return {
    version: core.version,
    ports: core.ports,
    get startupMs() {
      return spec.startupMs ?? core.startupMs
    },
    crash: () => spec.faults.find((fault) => fault.kind === 'crash'),
    ready,
    serve: (request, now) => serveFaulty({ core, spec, seed: options.seed, ready }, request, now),
    standing: (request) => core.standing?.(request) ?? false,
    background: () => core.background?.() ?? [],
    terminate: (now) => core.terminate?.(now) ?? { drainMs: 0, shutdownMs: 0, exitCode: 0 },
    change: (next: AppSpec) => {
      spec = next
    }
  }
}

interface Faulty {
  readonly core: AppCore
  readonly spec: AppSpec
  readonly seed: number
  readonly ready: (now: Instant) => boolean
}

function* serveFaulty(faulty: Faulty, request: AppRequest, now: Instant): AppPlan {
  const { core, spec, seed } = faulty
  if (READY_PATHS.has(pathOf(request.target)) && !faulty.ready(now)) return respond(503, {}, '')
  const verdict: FaultVerdict =
    spec.faults.length === 0 ? { delayMs: 0, status: undefined, reset: false } : judgeFaults(spec, request, seed)
  yield* sleep(verdict.delayMs + sampleDelay(spec.latency ?? DEFAULT_LATENCY, seed, 'service-time', request.key))
  if (verdict.reset) return { kind: 'reset' }
  if (verdict.status !== undefined) return respond(verdict.status, {}, '')
  return yield* core.serve(request, now)
}

function createCore(options: AppOptions): AppCore {
  switch (options.spec.app) {
    case 'podinfo':
      return createPodinfo(options)
    case 'testapp':
      return createTestApp(options)
    case 'hello-world':
      return createHelloWorld(options)
    case 'nginx':
      return createNginx(options)
    case 'slow-cooker':
      return createSlowCooker(options)
    case 'pause':
      return createPause(options)
    case 'load-tester':
      throw new TwinError('TWIN_USAGE', 'the load tester is made by its own room; wrap it with wrapApp')
  }
}
