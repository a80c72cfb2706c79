export type { WireApi } from './answer.ts'
export type { ContainerCall, ExecCall, ExecOutput, ExecSession, LogsCall, LogsOutput, WireHooks } from './hooks.ts'
export { type ApiAddress, kubeconfigText } from './kubeconfig.ts'
export { type BindOptions, bindApi, type BoundApi } from './listener.ts'
