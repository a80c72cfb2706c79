export { alertText } from './alert-text.ts'
export type { MetricEvidence, ReasonCode, TraceBase, TraceBody, TraceEvent } from './events.ts'
export { LineFormatter, type LineOptions } from './line.ts'
export {
  ALL_KINDS,
  isMilestone,
  kindNamed,
  matchesGlob,
  type Milestone,
  type MilestoneKind,
  milestoneOf,
  MINOR_KINDS
} from './milestone.ts'
export { decodeTrace, type DecodedTrace, encodeEvent, encodeHeader, TRACE_VERSION, type TraceHeader } from './ndjson.ts'
