/**
 * The public API: run scenarios from code, read their traces, start a world of one's own.
 * Everything else may change without notice.
 */
export type { AppFault, AppSpec, Expectation, KubeObject, LoadSpec } from './kinds/index.ts'
export { ERROR_CODES, type ErrorCode, TwinError } from './lib/errors/index.ts'
export { createReporters, streamSink } from './report/index.ts'
export {
  type CaseResult,
  runSession,
  type SessionObserver,
  type SessionOptions,
  type SessionSummary
} from './run/index.ts'
export {
  formatProblem,
  loadScenarioFile,
  type Problem,
  type ResolvedScenario,
  scenarioJsonSchema
} from './scenario/index.ts'
export { decodeTrace, LineFormatter, type TraceEvent } from './trace/index.ts'
export { createEmbeddedWorld } from './world/embedded/index.ts'
export type { World, WorldSpec } from './world/index.ts'
