export { decodeCanary, undecodable } from './decoding.ts'
export type { CanaryRef, Effect, HttpOutcome, LogEffect, HttpRequest, Plan } from './effects.ts'
export { EventCorrelator, type EventWrite, type RecordedEvent } from './event-correlator.ts'
export { ControllerPanic } from './failure.ts'
export { FLAGGER_VERSION, Gauges, totalGauge } from './gauges.ts'
export { campaign, Candidate, keepLease, resign } from './leader-election.ts'
export { advancePlan, NOT_YET } from './performing.ts'
export { resolveQuirks, type Quirks } from './quirks.ts'
export { QUIRKS, type QuirkEntry, type QuirkName } from './quirks.data.ts'
export {
  parseFlags,
  resolveSettings,
  type ControllerSettings,
  type GlobalReceiver,
  type SettingsOptions
} from './settings.ts'
export { analysisIntervalMs } from './spec.ts'
export { startLines } from './start-lines.ts'
export { advanceCanary, type CanaryKey } from './tick.ts'
export { optOut, reactToUpdate, syncCanary, type SyncOutcome, type UpdateReaction } from './worker.ts'
