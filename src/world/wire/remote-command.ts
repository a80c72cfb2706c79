import type { WebSocket } from 'ws'
import { type ExecCall, type ExecSession, isStatus, type WireHooks } from './hooks.ts'

const STDIN = 0
const STDOUT = 1
const STDERR = 2
const STATUS = 3
/** v5 only: the client closes one of its channels. */
const CLOSE = 255

/** Sub-protocols of exec and attach, best first. */
export const REMOTE_COMMAND_PROTOCOLS: readonly string[] = ['v5.channel.k8s.io', 'v4.channel.k8s.io']

/**
 * Serves `kubectl exec` over a WebSocket: each message begins with a channel number.
 * @see kubernetes v1.32 staging/src/k8s.io/client-go/tools/remotecommand/websocket.go
 */
export function serveRemoteCommand(socket: WebSocket, call: ExecCall, hooks: WireHooks): void {
  const send = (channel: number, chunk: string | Uint8Array): void => {
    if (socket.readyState !== socket.OPEN) return
    socket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(chunk)]), { binary: true })
  }
  const finish = (status: object): void => {
    send(STATUS, JSON.stringify(status))
    socket.close(1000)
  }
  const session = hooks.exec?.(call, {
    stdout: (chunk) => send(STDOUT, chunk),
    stderr: (chunk) => send(call.tty ? STDOUT : STDERR, chunk),
    exit: (code) => finish(exitStatus(code))
  })
  if (session === undefined) return finish(internalError('this world runs no commands in pods'))
  if (isStatus(session)) return finish(session)
  listenToClient(socket, session)
}

function listenToClient(socket: WebSocket, session: ExecSession): void {
  socket.on('message', (data: Buffer) => {
    if (data.length === 0) return
    const channel = data.readUInt8(0)
    if (channel === STDIN) session.stdin(data.subarray(1))
    if (channel === CLOSE && data.length > 1 && data.readUInt8(1) === STDIN) session.endStdin()
  })
  socket.on('close', () => session.kill())
  socket.on('error', () => session.kill())
}

function exitStatus(code: number): object {
  if (code === 0) return { metadata: {}, status: 'Success' }
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${code}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] }
  }
}

function internalError(message: string): object {
  return { metadata: {}, status: 'Failure', message, reason: 'InternalError', code: 500 }
}
