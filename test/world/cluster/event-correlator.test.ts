import { describe, expect, it } from 'vitest'
import type { ControllerEvent } from '../../../src/model/controllers/index.ts'
import { EventCorrelator } from '../../../src/world/cluster/event-correlator.ts'

function event(message: string): ControllerEvent {
  const about = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'web', uid: 'u1' } }
  return { about, type: 'Normal', reason: 'SuccessfulCreate', message, component: 'replicaset-controller' }
}

describe('EventCorrelator', () => {
  it('combines the tenth of different messages of one kind', () => {
    const correlator = new EventCorrelator()
    const stored = Array.from({ length: 12 }, (_, index) => correlator.correlate(event(`Created pod: ${index}`), 0))
    expect(stored[8]?.event?.message).toBe('Created pod: 8')
    expect(stored[9]?.event?.message).toBe('(combined from similar events): Created pod: 9')
    expect(stored[11]?.key).toBe(stored[9]?.key)
  })

  it('lets 25 events of one object through, then one per five minutes', () => {
    const correlator = new EventCorrelator()
    const passed = (now: number) => correlator.correlate(event('same'), now).event !== undefined
    expect(Array.from({ length: 30 }, () => passed(0)).filter(Boolean)).toHaveLength(25)
    expect([passed(299_000), passed(301_000), passed(302_000)]).toEqual([false, true, false])
  })
})
