export type { MetricEvidence, ReasonCode, TraceBase, TraceBody, TraceEvent } from './events.ts'
