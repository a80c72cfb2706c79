export type { App, AppContainer, AppCore, AppOptions, AppRequest, AppTermination } from './app.ts'
export { argvOf, envOf, parseFlags, shellWords } from './command-line.ts'
export { createApp, wrapApp } from './create.ts'
export { judgeFaults, sampleDelay, type FaultVerdict } from './faults.ts'
export {
  type AppAnswer,
  type AppEffect,
  type AppEffectResult,
  type AppFetch,
  type AppFetchResult,
  type AppPlan,
  type AppShellResult,
  type AppTask,
  respond
} from './plan.ts'
export { atLeast, imageTag } from './version.ts'
