import type { Hold } from '../../lib/time/index.ts'
import type { WorldClock } from './clock.ts'

/** User agent of the twin's own controller. */
const CONTROLLER_AGENT = 'rollout-twin-controller'

/** Keeps time standing while a watch event is on its way to the twin's own informers. */
export interface WatchHolds {
  /** An event is being written to a watch stream. */
  sent(userAgent: string, resourceVersion: string): void
  /** The informer has handled that version. */
  seen(resourceVersion: string): void
}

/** Makes the holds of watch events; several streams may carry the same version. */
export function createWatchHolds(clock: WorldClock): WatchHolds {
  const pending = new Map<string, Hold[]>()
  return {
    sent(userAgent, resourceVersion): void {
      if (!userAgent.startsWith(CONTROLLER_AGENT)) return
      const holds = pending.get(resourceVersion) ?? []
      holds.push(clock.hold(`watch event ${resourceVersion}`))
      pending.set(resourceVersion, holds)
    },
    seen(resourceVersion): void {
      const holds = pending.get(resourceVersion)
      holds?.shift()?.release()
      if (holds?.length === 0) pending.delete(resourceVersion)
    }
  }
}
