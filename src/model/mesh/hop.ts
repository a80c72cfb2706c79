import { draw } from '../../lib/random/index.ts'

/** Median and spread of one proxy's share of a request, milliseconds; two proxies add 0.5 ms p50 and about 1.1 ms p99. */
const MEDIAN_MS = 0.25
const SIGMA = 0.42

/**
 * What one proxy adds to a request in simulated time: lognormal, shaped after two real proxies at 200 requests a second
 * over one connection (+0.46 ms mean, +0.5 ms p50, +1.1 ms p99 for both).
 * @param seed - the run's seed
 * @param keys - the proxy and the request: the same ones give the same delay
 * @returns milliseconds
 */
export function hopDelay(seed: number, ...keys: readonly string[]): number {
  const radius = Math.sqrt(-2 * Math.log(1 - draw(seed, 0, 'hop', ...keys)))
  return MEDIAN_MS * Math.exp(SIGMA * radius * Math.cos(2 * Math.PI * draw(seed, 1, 'hop', ...keys)))
}
