import { describe, expect, it } from 'vitest'
import { SteppedClock } from '../../../src/lib/time/index.ts'

function drain(clock: SteppedClock): void {
  while (clock.step()) {
    // Each step may add further events.
  }
}

describe('SteppedClock', () => {
  it('runs events by due time, then by order of scheduling, with the clock set to the due time', () => {
    const clock = new SteppedClock(1000)
    const seen: string[] = []
    clock.at(1020, () => seen.push(`late ${clock.now()}`))
    clock.at(1010, () => seen.push(`first ${clock.now()}`))
    clock.at(1010, () => seen.push(`second ${clock.now()}`))
    clock.at(5, () => seen.push(`past ${clock.now()}`))
    drain(clock)
    expect(seen).toEqual(['past 1000', 'first 1010', 'second 1010', 'late 1020'])
  })

  it('never runs a cancelled event', () => {
    const clock = new SteppedClock(0)
    const seen: number[] = []
    clock.at(1, () => seen.push(1)).cancel()
    clock.at(2, () => seen.push(2))
    expect(clock.nextDue()).toBe(2)
    drain(clock)
    expect(seen).toEqual([2])
  })

  it('does not move while any hold is active', () => {
    const clock = new SteppedClock(0)
    clock.at(1, () => undefined)
    const first = clock.hold('first')
    const second = clock.hold('second')
    first.release()
    expect([clock.step(), clock.activeHolds()]).toEqual([false, ['second']])
    second.release()
    expect([clock.step(), clock.now()]).toEqual([true, 1])
  })

  it('moves while a hold is suspended, and stands again once it is resumed', () => {
    const clock = new SteppedClock(0)
    clock.at(1, () => undefined)
    clock.at(2, () => undefined)
    const hold = clock.hold('sleeper')
    hold.suspend()
    expect(clock.step()).toBe(true)
    hold.resume()
    expect(clock.step()).toBe(false)
  })

  it('forgets a released hold: resuming it later holds nothing', () => {
    const clock = new SteppedClock(0)
    const hold = clock.hold('done')
    expect(clock.find(hold.id)).toBe(hold)
    hold.release()
    hold.release()
    hold.resume()
    expect([clock.idle, clock.find(hold.id)]).toEqual([true, undefined])
  })

  it('tells when it has become idle', () => {
    const clock = new SteppedClock(0)
    let told = 0
    clock.onIdle(() => told++)
    const hold = clock.hold('one')
    clock.at(1, () => undefined)
    expect(told).toBe(0)
    hold.suspend()
    hold.release()
    expect(told).toBe(1)
  })
})
