import { describe, expect, test } from 'vitest'
import { EventCorrelator, type RecordedEvent } from '../../../src/model/canary/index.ts'

const REF = { name: 'app', namespace: 'test', uid: 'u', resourceVersion: '1' }

function event(message: string, type: 'Normal' | 'Warning' = 'Normal'): RecordedEvent {
  return { canary: REF, type, message }
}

describe('EventCorrelator', () => {
  test('counts repeats on one Event', () => {
    const correlator = new EventCorrelator(() => 0)
    const first = correlator.correlate(event('a'), 0)
    const second = correlator.correlate(event('a'), 1000)
    expect(first).toMatchObject({ verb: 'create', body: { message: 'a', count: 1, reason: 'Synced' } })
    expect(second).toMatchObject({ verb: 'patch', body: { count: 2 } })
  })

  test('combines from the tenth distinct message on', () => {
    const correlator = new EventCorrelator(() => 0)
    for (let index = 0; index < 9; index++) correlator.correlate(event(`m${index}`), index)
    expect(correlator.correlate(event('tenth'), 10)).toMatchObject({
      verb: 'create',
      body: { message: '(combined from similar events): tenth', reportingComponent: '' }
    })
    expect(correlator.correlate(event('eleventh'), 11)).toMatchObject({ verb: 'patch', body: { count: 2 } })
  })

  test('forgets the messages after ten minutes of silence', () => {
    const correlator = new EventCorrelator(() => 0)
    for (let index = 0; index < 9; index++) correlator.correlate(event(`m${index}`), index)
    expect(correlator.correlate(event('later'), 700_000)).toMatchObject({ body: { message: 'later' } })
  })

  test('lets 25 events of a type through, then one per five minutes', () => {
    const correlator = new EventCorrelator(() => 0)
    const writes = Array.from({ length: 30 }, () => correlator.correlate(event('same'), 0))
    expect(writes.filter((write) => write !== undefined)).toHaveLength(25)
    expect(correlator.correlate(event('warn', 'Warning'), 0)).toBeDefined()
    expect(correlator.correlate(event('same'), 299_000)).toBeUndefined()
    expect(correlator.correlate(event('same'), 301_000)).toBeDefined()
  })
})
