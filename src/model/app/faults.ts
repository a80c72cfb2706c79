import type { AppFault, AppSpec, DelayDistribution, FaultMatch } from '../../kinds/index.ts'
import { draw } from '../../lib/random/index.ts'
import type { AppRequest } from './app.ts'

/** Paths a fault without a path of its own leaves alone, so that it does not fail probes and scrapes. */
const CONTROL_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/livez', '/metrics', '/health', '/ready'])

/** What the declared faults do to one request. */
export interface FaultVerdict {
  readonly delayMs: number
  /** Status to answer instead of the app's own; absent: the app answers. */
  readonly status: number | undefined
  readonly reset: boolean
}

/**
 * Draws what happens to a request.
 * @param spec - the behaviour; its faults are tried in order, the first status that hits wins, delays add up
 */
export function judgeFaults(spec: AppSpec, request: AppRequest, seed: number): FaultVerdict {
  let delayMs = 0
  let status: number | undefined
  let reset = false
  for (const [index, fault] of spec.faults.entries()) {
    if (fault.kind === 'not-ready' || fault.kind === 'crash') continue
    if (!matchesFault(fault.match, request) || !hits(fault, index, request, seed)) continue
    if (fault.kind === 'delay') delayMs += sampleDelay(fault.delay, seed, request.key, `fault-${index}-delay`)
    else if (fault.kind === 'reset') reset = true
    else status ??= fault.status
  }
  return { delayMs, status, reset }
}

function hits(fault: AppFault & { ratio: number }, index: number, request: AppRequest, seed: number): boolean {
  if (fault.ratio >= 1) return true
  return draw(seed, 0, 'fault', index, fault.kind, request.key) < fault.ratio
}

function matchesFault(match: FaultMatch, request: AppRequest): boolean {
  const path = pathOf(request.target)
  if (match.path === undefined ? CONTROL_PATHS.has(path) : !matchesPath(match.path, path)) return false
  if (match.method !== undefined && match.method.toUpperCase() !== request.method) return false
  const header = match.header
  if (header === undefined) return true
  const wanted = header.name.toLowerCase()
  return request.headers.some(
    ([name, value]) => name.toLowerCase() === wanted && (header.value === undefined || header.value === value)
  )
}

function matchesPath(pattern: string, path: string): boolean {
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern
}

/** The path of a request target without its query. */
export function pathOf(target: string): string {
  const query = target.indexOf('?')
  return query === -1 ? target : target.slice(0, query)
}

/**
 * One delay of a distribution, milliseconds, never below 0.
 * @param keys - consumer and request; the same keys give the same delay
 */
export function sampleDelay(delay: DelayDistribution, seed: number, ...keys: readonly string[]): number {
  switch (delay.kind) {
    case 'constant':
      return Math.max(0, delay.ms)
    case 'uniform':
      return Math.max(0, delay.minMs + (delay.maxMs - delay.minMs) * draw(seed, 0, ...keys))
    case 'exponential':
      return -delay.meanMs * Math.log(1 - draw(seed, 0, ...keys))
    case 'normal':
      return Math.max(0, delay.meanMs + delay.stddevMs * normal(seed, keys))
    case 'lognormal':
      return delay.medianMs * Math.exp(delay.sigma * normal(seed, keys))
  }
}

function normal(seed: number, keys: readonly string[]): number {
  const radius = Math.sqrt(-2 * Math.log(1 - draw(seed, 0, ...keys)))
  return radius * Math.cos(2 * Math.PI * draw(seed, 1, ...keys))
}
