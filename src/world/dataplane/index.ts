export { type AppProcess, type AppProcessStart, serveAppProcess } from './app-process.ts'
export { containersOf, podKeyOf, readContainer } from './container.ts'
export {
  type ClientIdentity,
  createDataplane,
  type Dataplane,
  type DataplaneOptions,
  type PodStarted
} from './dataplane.ts'
export type { Holds } from './holds.ts'
export type { RequestObservation } from './observation.ts'
export { portNumber, type ShellPlace } from './pod-host.ts'
export { probedUrl, type ProbeDone, type ProbeSpec } from './probes.ts'
export { CLIENT_HEADER, ERROR_HEADER, HOLD_HEADER, KEY_HEADER, PORT_HEADER, TARGET_HEADER } from './wire-headers.ts'
