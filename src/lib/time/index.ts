export {
  formatGoDuration,
  formatTimestamp,
  formatTimestampNano,
  GO_DURATION_UNITS_NS,
  parseGoDuration,
  parseTimestamp
} from './duration.ts'
export { EventQueue } from './event-queue.ts'
export { SteppedClock, type Hold } from './stepped-clock.ts'
export { SystemClock, wallClock } from './system-clock.ts'
export type { Clock, Instant, Scheduled, Timeline } from './timeline.ts'
export { VirtualClock } from './virtual-clock.ts'
