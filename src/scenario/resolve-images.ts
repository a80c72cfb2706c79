import type { AppFault, AppName, AppSpec, FaultMatch, LoadSpec } from '../kinds/index.ts'
import { durationMs, parseRatePerSecond, parseRatio, resolveDistribution } from './quantity.ts'
import type { RawFault, RawImage, RawLoad } from './raw.ts'

/** Exit code of a crash that names none: that of a Go panic. */
const CRASH_EXIT_CODE = 2
/** Client-side time-out of a load that names none. */
const LOAD_TIMEOUT_MS = 10_000

/** Behaviour of an image; the reported version defaults to the tag. */
export function resolveImage(image: string, raw: RawImage): AppSpec {
  const tag = /:([^:/@]+)(?:@.*)?$/.exec(image)?.[1]
  const version = raw.version ?? tag
  return {
    app: raw.app as AppName,
    ...(version === undefined ? {} : { version }),
    faults: (raw.faults ?? []).map(resolveFault),
    ...(raw.latency === undefined ? {} : { latency: resolveDistribution(raw.latency) }),
    ...(raw.startup === undefined ? {} : { startupMs: durationMs(raw.startup) }),
    options: raw.options ?? {}
  }
}

/** A fault; the schema has made sure that it says exactly one thing. */
export function resolveFault(raw: RawFault): AppFault {
  const ratio = raw.ratio === undefined ? 1 : (parseRatio(raw.ratio) ?? 1)
  const match = resolveMatch(raw)
  if (raw.status !== undefined) return { kind: 'status', status: raw.status, ratio, match }
  if (raw.delay !== undefined) return { kind: 'delay', delay: resolveDistribution(raw.delay), ratio, match }
  if (raw.notReady !== undefined) {
    return { kind: 'not-ready', afterMs: typeof raw.notReady === 'object' ? durationMs(raw.notReady.after) : 0 }
  }
  if (raw.crash !== undefined) {
    const crash = typeof raw.crash === 'object' ? raw.crash : {}
    return { kind: 'crash', afterMs: durationMs(crash.after ?? '0s'), exitCode: crash.exitCode ?? CRASH_EXIT_CODE }
  }
  return { kind: 'reset', ratio, match }
}

/** A load; the client lives in namespace `load` unless told otherwise. */
export function resolveLoad(raw: RawLoad): LoadSpec {
  return {
    name: raw.name,
    to: raw.to,
    ratePerSecond: parseRatePerSecond(raw.rate) ?? 1,
    arrivals: raw.arrivals ?? 'constant',
    method: (raw.method ?? 'GET').toUpperCase(),
    headers: Object.fromEntries(Object.entries(raw.headers ?? {}).map(([key, value]) => [key.toLowerCase(), value])),
    ...(raw.body === undefined ? {} : { body: raw.body }),
    namespace: raw.namespace ?? 'load',
    timeoutMs: raw.timeout === undefined ? LOAD_TIMEOUT_MS : durationMs(raw.timeout),
    startMs: raw.start === undefined ? 0 : durationMs(raw.start),
    ...(raw.end === undefined ? {} : { endMs: durationMs(raw.end) })
  }
}

function resolveMatch(raw: RawFault): FaultMatch {
  const colon = raw.header?.indexOf(':') ?? -1
  const header =
    raw.header === undefined
      ? undefined
      : colon < 0
        ? { name: raw.header.trim().toLowerCase() }
        : { name: raw.header.slice(0, colon).trim().toLowerCase(), value: raw.header.slice(colon + 1).trim() }
  return {
    ...(raw.path === undefined ? {} : { path: raw.path }),
    ...(raw.method === undefined ? {} : { method: raw.method.toUpperCase() }),
    ...(header === undefined ? {} : { header })
  }
}
