export { firstDivergence, replayCommand } from './divergence.ts'
export { createReporters, REPORTER_NAMES } from './reporters.ts'
export { paint, streamSink, type TextSink } from './style.ts'
