import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { createWebSocketStream, WebSocketServer } from 'ws'
import type { KubeStatus } from '../../kinds/index.ts'
import type { WireHooks } from './hooks.ts'
import { parsePodPath, type PodPath } from './pod-path.ts'
import { servePortForward } from './port-forward.ts'
import { REMOTE_COMMAND_PROTOCOLS, serveRemoteCommand } from './remote-command.ts'
import { status } from './request.ts'

/** kubectl tunnels the SPDY connection of port-forward through a WebSocket of this sub-protocol (since 1.30). */
const TUNNEL_PROTOCOL = 'SPDY/3.1+portforward.k8s.io'
/** The WebSocket library refuses the slash of {@link TUNNEL_PROTOCOL} in an offer, so it is negotiated under this name. */
const TUNNEL_ALIAS = 'spdy-tunnel.portforward.k8s.io'
const PROTOCOLS: readonly string[] = [...REMOTE_COMMAND_PROTOCOLS, TUNNEL_ALIAS]

/** Handles HTTP upgrades: exec and attach over WebSocket, port-forward over WebSocket or plain SPDY. */
export class UpgradeServer {
  readonly #hooks: WireHooks
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: 16 * 1024 * 1024,
    handleProtocols: (offered) => PROTOCOLS.find((protocol) => offered.has(protocol)) ?? false
  })

  constructor(hooks: WireHooks) {
    this.#hooks = hooks
    this.#sockets.on('headers', (lines) => {
      for (const [index, line] of lines.entries()) lines[index] = line.replace(TUNNEL_ALIAS, TUNNEL_PROTOCOL)
    })
  }

  /** Takes over the connection of an authorised upgrade request. */
  handle(message: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = new URL(message.url ?? '/', 'https://twin')
    const path = parsePodPath(url.pathname)
    if (path === undefined || path.subresource === 'log') return refuseUpgrade(socket, notUpgradable(url.pathname))
    const missing = this.#hooks.findPod?.(path.namespace, path.pod)
    if (missing !== undefined) return refuseUpgrade(socket, missing)
    if (message.headers.upgrade?.toLowerCase() === 'websocket')
      return this.#webSocket(message, socket, { head, path, url })
    if (path.subresource === 'portforward') return this.#spdy(socket, path)
    refuseUpgrade(
      socket,
      status(400, 'BadRequest', 'exec and attach are served over WebSocket (kubectl 1.31 and newer)')
    )
  }

  /** Ends every open connection. */
  close(): void {
    for (const client of this.#sockets.clients) client.terminate()
    this.#sockets.close()
  }

  #webSocket(message: IncomingMessage, socket: Duplex, call: { head: Buffer; path: PodPath; url: URL }): void {
    const { head, path, url } = call
    const offered = message.headers['sec-websocket-protocol']
    if (offered !== undefined)
      message.headers['sec-websocket-protocol'] = offered.replace(TUNNEL_PROTOCOL, TUNNEL_ALIAS)
    this.#sockets.handleUpgrade(message, socket, head, (client) => {
      if (path.subresource === 'portforward') {
        servePortForward(createWebSocketStream(client), (port) => this.#connect(path, port))
        return
      }
      const flag = (name: string): boolean => ['true', '1'].includes(url.searchParams.get(name) ?? '')
      const container = url.searchParams.get('container')
      serveRemoteCommand(
        client,
        {
          namespace: path.namespace,
          pod: path.pod,
          ...(container === null ? {} : { container }),
          command: url.searchParams.getAll('command'),
          stdin: flag('stdin'),
          tty: flag('tty')
        },
        this.#hooks
      )
    })
  }

  #spdy(socket: Duplex, path: PodPath): void {
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: portforward.k8s.io\r\n\r\n'
    )
    servePortForward(socket, (port) => this.#connect(path, port))
  }

  #connect(path: PodPath, port: number): Promise<Duplex> {
    if (this.#hooks.portForward === undefined) return Promise.reject(new Error('this world forwards no ports'))
    return this.#hooks.portForward({ namespace: path.namespace, pod: path.pod, port })
  }
}

function notUpgradable(path: string): KubeStatus {
  return status(400, 'BadRequest', `${path} cannot be upgraded`)
}

/** Answers an upgrade request with a Status and closes. */
export function refuseUpgrade(socket: Duplex, refusal: KubeStatus): void {
  const body = JSON.stringify(refusal)
  socket.end(
    `HTTP/1.1 ${refusal.code ?? 500} ${refusal.reason ?? 'Error'}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`
  )
}
