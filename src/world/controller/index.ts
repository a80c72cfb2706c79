export {
  type LocalApi,
  type LocalController,
  type LocalControllerOptions,
  type Fault,
  type HttpEffect,
  startLocalController
} from './local-controller.ts'
export type { ClusterConnection } from './kube-connection.ts'
export type { OnEffect, RunContext } from './run-context.ts'
export type { OnEventWrite } from './event-sink.ts'
export { type Controller, type ControllerOptions, startController } from './start-controller.ts'
export {
  parseFlags,
  resolveSettings,
  type ControllerSettings,
  type Effect,
  type HttpOutcome,
  type LogEffect,
  type QuirkName,
  type SettingsOptions
} from '../../model/canary/index.ts'
