export {
  type InteractiveOptions,
  type InteractiveShell,
  isInteractiveProgram,
  openInteractiveShell
} from './interactive.ts'
export {
  type Applied,
  applyObject,
  createKubeClient,
  type FirstDiscovery,
  type KubeClient,
  KubectlError,
  readManifest,
  type ResourceKind
} from './kubectl/index.ts'
export type {
  ShellClock,
  ShellHttpAnswer,
  ShellHttpRequest,
  ShellLoad,
  ShellLoadSample,
  ShellPlace,
  ShellPorts,
  ShellResult,
  ShellRunOptions,
  WorldShell
} from './ports.ts'
export { createWorldShell } from './shell.ts'
