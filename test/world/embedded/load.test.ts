import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { LoadSpec } from '../../../src/kinds/index.ts'
import type { TraceBody } from '../../../src/trace/index.ts'
import { arrivalTimes } from '../../../src/model/load/index.ts'
import { createWorldClock, type WorldClock } from '../../../src/world/embedded/clock.ts'
import { runClosedLoop, type LoopSample } from '../../../src/world/embedded/load/closed-loop.ts'
import { type OpenLoop, startOpenLoop } from '../../../src/world/embedded/load/open-loop.ts'
import { openUpstream } from '../../../src/world/embedded/load/upstream.ts'

const cleanUps: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

interface Bench {
  readonly clock: WorldClock
  readonly origin: string
  readonly arrivedMs: number[]
}

/** A server in place of the client's proxy: it answers after `latencyMs` of simulated time. */
async function bench(latencyMs: (path: string) => number): Promise<Bench> {
  const clock = createWorldClock({ time: 'stepped', onFailure: (error) => expect.fail(String(error)) })
  const arrivedMs: number[] = []
  const server: Server = createServer((request, response) => {
    arrivedMs.push(clock.now() - clock.startInstant)
    const hold = clock.find(Number(request.headers['x-twin-hold']))
    clock.at(clock.now() + latencyMs(request.url ?? ''), () => {
      hold?.resume()
      response.end('answer')
    })
    hold?.suspend()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUps.push(
    () => server.closeAllConnections(),
    () => server.close(),
    () => clock.stop()
  )
  return { clock, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, arrivedMs }
}

function loadSpec(over: Partial<LoadSpec>): LoadSpec {
  return {
    name: 'users',
    to: 'http://podinfo.test:9898/',
    ratePerSecond: 20,
    arrivals: 'constant',
    method: 'GET',
    headers: {},
    namespace: 'load',
    timeoutMs: 10_000,
    startMs: 0,
    ...over
  }
}

interface Ran {
  readonly loop: OpenLoop
  readonly records: readonly TraceBody[]
}

async function runOpen(world: Bench, spec: LoadSpec, untilMs: number): Promise<Ran> {
  const records: TraceBody[] = []
  const loop = await startOpenLoop(spec, {
    clock: world.clock,
    upstream: openUpstream(world.clock, world.origin),
    arrivals: arrivalTimes(spec, 1),
    versionOf: () => '1.0',
    record: (body) => records.push(body),
    onFailure: (error) => expect.fail(error.message)
  })
  cleanUps.push(() => loop.close())
  const end = new Promise<void>((resolve) => world.clock.at(world.clock.startInstant + untilMs, resolve))
  world.clock.start()
  await end
  return { loop, records }
}

describe('startOpenLoop()', () => {
  it('delivers each request at its simulated arrival time, slow answers or not', async () => {
    for (const latencyMs of [1, 700]) {
      const world = await bench(() => latencyMs)
      const spec = loadSpec({ arrivals: 'poisson' })
      const { loop } = await runOpen(world, spec, 20_000)
      const intended = arrivalTimes(spec, 1).take(world.arrivedMs.length).toArray()
      for (const [index, at] of intended.entries()) expect(world.arrivedMs[index]).toBeCloseTo(at, 2)
      expect(world.arrivedMs.length).toBeGreaterThan(330)
      const totals = loop.totals()
      expect([totals.delivered, totals.failed]).toEqual([totals.intended, 0])
    }
  })

  it('spreads constant arrivals evenly: every simulated second has as many as the rate says', async () => {
    const world = await bench(() => 2)
    await runOpen(world, loadSpec({}), 10_000)
    const perSecond = Array.from({ length: 10 }, (_, second) => {
      return world.arrivedMs.filter((at) => Math.floor(at / 1000) === second).length
    })
    expect(perSecond).toEqual(Array.from({ length: 10 }, () => 20))
  })

  it('counts per step of the weights and closes each with an event', async () => {
    const world = await bench(() => 1)
    const { loop, records } = await runOpen(world, loadSpec({}), 1000)
    loop.changeWeight(10)
    await loop.close()
    expect(records).toEqual([
      {
        kind: 'load',
        load: 'users',
        weightPercent: 0,
        intended: 20,
        delivered: 20,
        failed: 0,
        byVersion: { '1.0': 20 }
      }
    ])
  })

  it('counts what takes longer than the time-out as failed', async () => {
    const world = await bench(() => 5000)
    const { loop } = await runOpen(world, loadSpec({ timeoutMs: 1000, endMs: 500 }), 3000)
    expect(loop.totals()).toMatchObject({ intended: 10, delivered: 10, failed: 10 })
  })
})

describe('runClosedLoop()', () => {
  async function runClosed(world: Bench, over: Partial<Parameters<typeof runClosedLoop>[0]>): Promise<LoopSample[]> {
    const samples: LoopSample[] = []
    const upstream = openUpstream(world.clock, world.origin)
    cleanUps.push(() => upstream.close())
    const spec = {
      name: 'hey',
      request: { method: 'GET', url: 'http://podinfo-canary.test:9898/', headers: {} },
      workers: 2,
      ...over
    }
    const signal = new AbortController().signal
    const done = runClosedLoop(spec, {
      clock: world.clock,
      upstream,
      signal,
      onSample: (sample) => samples.push(sample)
    })
    world.clock.start()
    await done
    return samples
  }

  it('makes 40 requests of `hey -z 2s -q 10 -c 2`, paced per worker', async () => {
    const world = await bench(() => 3)
    const samples = await runClosed(world, { ratePerWorker: 10, durationMs: 2000 })
    expect(samples).toHaveLength(40)
    expect(world.arrivedMs.slice(0, 4)).toEqual([100, 100, 200, 200])
    expect(samples.every((sample) => sample.status === 200 && sample.latencyMs === 3)).toBe(true)
  })

  it('slows a worker down while its request is under way and drops the ticks it missed', async () => {
    const world = await bench(() => 250)
    await runClosed(world, { workers: 1, ratePerWorker: 10, durationMs: 1000 })
    expect(world.arrivedMs).toEqual([100, 350, 600, 850])
  })

  it('reports a time-out in simulated time', async () => {
    const world = await bench(() => 5000)
    const samples = await runClosed(world, { workers: 1, requestsPerWorker: 2, timeoutMs: 1000 })
    expect(samples.map((sample) => [sample.latencyMs, sample.error?.reason])).toEqual([
      [1000, 'timeout'],
      [1000, 'timeout']
    ])
  })
})
