import type { Duplex } from 'node:stream'
import type { KubeStatus } from '../../kinds/index.ts'

/** What names a container in a stream request. */
export interface ContainerCall {
  readonly namespace: string
  readonly pod: string
  /** As asked for; absent: the pod's first container. */
  readonly container?: string
}

/** `kubectl exec`. */
export interface ExecCall extends ContainerCall {
  readonly command: readonly string[]
  readonly stdin: boolean
  readonly tty: boolean
}

/** Where a running command's output goes. */
export interface ExecOutput {
  stdout(chunk: string | Uint8Array): void
  stderr(chunk: string | Uint8Array): void
  /** The command ended with this code; nothing may be written afterwards. */
  exit(code: number): void
}

/** A running command, as the client drives it. */
export interface ExecSession {
  stdin(chunk: Buffer): void
  endStdin(): void
  /** The client is gone or has interrupted: the command must end. */
  kill(): void
}

/** `kubectl logs`. */
export interface LogsCall extends ContainerCall {
  readonly follow: boolean
  readonly previous: boolean
  readonly timestamps: boolean
  readonly tailLines?: number
  readonly sinceSeconds?: number
  readonly limitBytes?: number
}

/** Where log text goes. */
export interface LogsOutput {
  write(text: string): void
  end(): void
}

/**
 * What the API server forwards to a node's kubelet. A world supplies it; a hook that is absent answers as an API server
 * whose kubelet is not reachable. A returned Status is the refusal (container not found, pod not running, …).
 */
export interface WireHooks {
  exec?(call: ExecCall, output: ExecOutput): ExecSession | KubeStatus
  logs?(call: LogsCall, output: LogsOutput): { stop(): void } | KubeStatus
  /** Opens a connection to a port of the pod. @throws Error whose message the client is shown */
  portForward?(call: { readonly namespace: string; readonly pod: string; readonly port: number }): Promise<Duplex>
  /** Whether the pod is there to be forwarded to. */
  findPod?(namespace: string, pod: string): KubeStatus | undefined
  /** A watch event is being sent to a client of that user agent. */
  watchEvent?(userAgent: string, resourceVersion: string): void
}

/** Whether a hook answered with a refusal. */
export function isStatus(value: object): value is KubeStatus {
  return 'kind' in value && value.kind === 'Status'
}
