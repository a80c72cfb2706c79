import { afterEach, describe, expect, it } from 'vitest'
import { isTwinError } from '../../../src/lib/errors/index.ts'
import type { Hold } from '../../../src/lib/time/index.ts'
import { createWorldClock, type WorldClock } from '../../../src/world/embedded/clock.ts'

const clocks: WorldClock[] = []

afterEach(() => {
  for (const clock of clocks.splice(0)) clock.stop()
})

function stepped(options: { readonly speed?: number; readonly stuckAfterWallMs?: number } = {}): {
  readonly clock: WorldClock
  readonly failure: Promise<unknown>
} {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  const clock = createWorldClock({ time: 'stepped', onFailure: resolve, ...options })
  clocks.push(clock)
  return { clock, failure: promise }
}

/** Work that waits for simulated time gives its hold back meanwhile. */
function sleepUnder(clock: WorldClock, hold: Hold, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.at(clock.now() + delayMs, () => {
      hold.resume()
      resolve()
    })
    hold.suspend()
  })
}

describe('createWorldClock() stepped', () => {
  it('runs an hour of events in order as fast as the machine goes', async () => {
    const { clock } = stepped()
    const seen: number[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    for (const minutes of [60, 1, 30]) {
      clock.at(clock.startInstant + minutes * 60_000, () => {
        seen.push((clock.now() - clock.startInstant) / 60_000)
        if (minutes === 60) resolve()
      })
    }
    clock.start()
    await promise
    expect(seen).toEqual([1, 30, 60])
  })

  it('stands still while real work is under way and gives time back while the work sleeps', async () => {
    const { clock } = stepped()
    const log: string[] = []
    clock.at(clock.startInstant + 5, () => log.push('other at 5'))
    clock.at(clock.startInstant + 50, () => log.push('other at 50'))
    const hold = clock.hold('work')
    clock.start()
    await new Promise((resolve) => setTimeout(resolve, 20))
    log.push(`work at ${clock.now() - clock.startInstant}`)
    await sleepUnder(clock, hold, 10)
    log.push(`work at ${clock.now() - clock.startInstant}`)
    const end = new Promise<void>((resolve) => clock.at(clock.startInstant + 60, resolve))
    hold.release()
    await end
    expect(log).toEqual(['work at 0', 'other at 5', 'work at 10', 'other at 50'])
  })

  it('lets what a callback starts in a promise take its hold before time moves on', async () => {
    const { clock } = stepped()
    const log: string[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    const work = async (): Promise<void> => {
      await Promise.resolve()
      await Promise.resolve()
      const hold = clock.hold('late')
      await new Promise((done) => setTimeout(done, 5))
      log.push(`late at ${clock.now() - clock.startInstant}`)
      hold.release()
    }
    clock.at(clock.startInstant + 1, () => {
      void work()
    })
    clock.at(clock.startInstant + 2, () => {
      log.push('next')
      resolve()
    })
    clock.start()
    await promise
    expect(log).toEqual(['late at 1', 'next'])
  })

  it('fails with TWIN_HOLD_STUCK that names the hold', async () => {
    const { clock, failure } = stepped({ stuckAfterWallMs: 40 })
    clock.at(clock.startInstant + 1, () => undefined)
    clock.hold('webhook acceptance-test')
    clock.start()
    const error = await failure
    expect(isTwinError(error) && [error.code, error.message]).toEqual([
      'TWIN_HOLD_STUCK',
      expect.stringContaining('webhook acceptance-test')
    ])
  })

  it('does not pass its ceiling of simulated seconds per wall second', async () => {
    const { clock } = stepped({ speed: 10 })
    const began = performance.now()
    const end = new Promise<void>((resolve) => clock.at(clock.startInstant + 500, resolve))
    clock.start()
    await end
    expect(performance.now() - began).toBeGreaterThan(45)
    expect(clock.idleWallMs()).toBeGreaterThan(40)
  })

  it('starts in the past', () => {
    expect(stepped().clock.startInstant).toBeLessThan(Date.now() - 29 * 86_400_000)
  })
})

describe('createWorldClock() wall', () => {
  function wall(speed: number): WorldClock {
    const clock = createWorldClock({ time: 'wall', speed, onFailure: () => undefined })
    clocks.push(clock)
    return clock
  }

  it('follows the wall clock; holds do not stop it', async () => {
    const clock = wall(1)
    clock.hold('anything')
    const began = performance.now()
    const end = new Promise<void>((resolve) => clock.at(clock.startInstant + 50, resolve))
    clock.start()
    await end
    expect(performance.now() - began).toBeGreaterThan(45)
    expect(clock.holding).toBe(false)
  })

  it('is paced by the wall clock at a higher speed, begins in the past, and moves while nothing happens', async () => {
    const clock = wall(100)
    expect(clock.startInstant).toBeLessThan(Date.now() - 3_600_000)
    const began = performance.now()
    clock.start()
    while (clock.now() < clock.startInstant + 20_000) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(performance.now() - began).toBeGreaterThan(150)
  })

  it('runs what is due at once although the next event is far away', async () => {
    const clock = wall(2)
    clock.at(clock.startInstant + 3_600_000, () => undefined)
    clock.start()
    await new Promise((resolve) => setTimeout(resolve, 5))
    const began = performance.now()
    await new Promise<void>((resolve) => clock.at(clock.now(), resolve))
    expect(performance.now() - began).toBeLessThan(30_000)
  })
})
