import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { Duplex } from 'node:stream'
import { TwinError } from '../../lib/errors/index.ts'
import { wallClock } from '../../lib/time/index.ts'
import type { ApiRequest, KubeStatus } from '../../kinds/index.ts'
import { sendAnswer, sendStatus, streamWatch, type WireApi } from './answer.ts'
import { createCertificate } from './certificate.ts'
import type { WireHooks } from './hooks.ts'
import { type ApiAddress, kubeconfigText } from './kubeconfig.ts'
import { serveLogs } from './logs.ts'
import { parsePodPath } from './pod-path.ts'
import { readRequest, status } from './request.ts'
import { refuseUpgrade, UpgradeServer } from './upgrade.ts'

/** What {@link bindApi} takes. */
export interface BindOptions {
  readonly api: WireApi
  /** Port on 127.0.0.1; 0 or absent: any free one. */
  readonly port?: number
  readonly hooks?: WireHooks
  /** What a request waits for before it is handed to the API; absent: nothing. */
  readonly ready?: (request: ApiRequest) => Promise<unknown>
  /** Called around each request, with its wall duration: for the report of where time goes. */
  readonly onRequest?: (wallMs: number) => void
}

/** A bound API server. */
export interface BoundApi extends ApiAddress {
  readonly port: number
  /** TLS handshakes so far: clients that keep their connection alive cost one each. */
  handshakes(): number
  /** Text of a kubeconfig for this server. */
  kubeconfig(): string
  /** Closes the listener and every connection. */
  close(): Promise<void>
}

/** A client that sends nothing for so long is disconnected. */
const HEADERS_MS_MAX = 10_000
/** A request must have arrived within this time; answers (watches) may take as long as they like. */
const REQUEST_MS_MAX = 30_000

/**
 * Binds an API server to HTTPS on loopback with a bearer token.
 * @throws TwinError TWIN_PORT_IN_USE when the asked-for port is taken
 */
export async function bindApi(options: BindOptions): Promise<BoundApi> {
  const certificate = createCertificate(wallClock.now())
  const token = randomBytes(24).toString('base64url')
  const hooks = options.hooks ?? {}
  const upgrades = new UpgradeServer(hooks)
  const server = createServer({ ...certificate, ALPNProtocols: ['http/1.1'], minVersion: 'TLSv1.2' })
  server.headersTimeout = HEADERS_MS_MAX
  server.requestTimeout = REQUEST_MS_MAX
  server.keepAliveTimeout = 60_000
  let handshakes = 0
  server.on('secureConnection', () => {
    handshakes++
  })
  server.on('request', (message, response) => void serve({ message, response, token, options, hooks }))
  server.on('upgrade', (message: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    if (isAuthorised(message, token)) upgrades.handle(message, socket, head)
    else refuseUpgrade(socket, status(401, 'Unauthorized', 'Unauthorized'))
  })
  const port = await listen(server, options.port ?? 0)
  const address: ApiAddress = { url: `https://127.0.0.1:${port}`, ca: certificate.cert, token }
  return {
    ...address,
    port,
    handshakes: () => handshakes,
    kubeconfig: () => kubeconfigText(address),
    close: () => close(server, upgrades)
  }
}

interface Exchange {
  readonly message: IncomingMessage
  readonly response: ServerResponse
  readonly token: string
  readonly options: BindOptions
  readonly hooks: WireHooks
}

async function serve(exchange: Exchange): Promise<void> {
  const { message, response, token } = exchange
  response.on('error', () => response.destroy())
  try {
    if (!isAuthorised(message, token)) return sendStatus(response, status(401, 'Unauthorized', 'Unauthorized'))
    const read = await readRequest(message)
    if ('refusal' in read) return sendStatus(response, read.refusal)
    if (exchange.options.ready !== undefined) await exchange.options.ready(read.request)
    const start = performance.now()
    dispatch(exchange, read.request)
    exchange.options.onRequest?.(performance.now() - start)
  } catch (error) {
    // A request whose body was read counts as destroyed itself: only its answer tells whether anybody listens.
    if (response.headersSent || response.destroyed) return void response.destroy()
    const reason = error instanceof Error ? error.message : String(error)
    sendStatus(response, status(500, 'InternalError', `Internal error occurred: ${reason}`))
  }
}

function dispatch(exchange: Exchange, request: ApiRequest): void {
  const { response, options, hooks } = exchange
  const pod = parsePodPath(request.path)
  if (pod?.subresource === 'log' && request.method === 'GET') {
    const missing = findPod(exchange, pod.namespace, pod.pod)
    return missing === undefined ? serveLogs(response, pod, request, hooks) : sendStatus(response, missing)
  }
  if (options.api.isWatch?.(request) ?? isWatch(request)) {
    const userAgent = request.headers?.['user-agent'] ?? ''
    const onEvent = (resourceVersion: string): void => hooks.watchEvent?.(userAgent, resourceVersion)
    return streamWatch({ api: options.api, request, response, onEvent })
  }
  sendAnswer(response, options.api.handle(request))
}

/** Why a pod cannot be reached, if so: first the API is asked, then the world. */
function findPod({ options, hooks }: Exchange, namespace: string, name: string): KubeStatus | undefined {
  const answer = options.api.handle({ method: 'GET', path: `/api/v1/namespaces/${namespace}/pods/${name}` })
  return answer.code === 200 ? hooks.findPod?.(namespace, name) : (answer.body as KubeStatus)
}

function isWatch(request: ApiRequest): boolean {
  if (request.method !== 'GET') return false
  const watch = request.query?.['watch']
  return watch === 'true' || watch === '1' || /^\/apis?\/(?:[^/]+\/)?v[^/]+\/watch\//.test(request.path)
}

function isAuthorised(message: IncomingMessage, token: string): boolean {
  const given = Buffer.from(message.headers.authorization ?? '')
  const wanted = Buffer.from(`Bearer ${token}`)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') return reject(error)
      const message = `port ${port} on 127.0.0.1 is taken: free it, or leave the port out to get a free one`
      reject(new TwinError('TWIN_PORT_IN_USE', message, { details: { port }, cause: error }))
    })
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

function close(server: Server, upgrades: UpgradeServer): Promise<void> {
  upgrades.close()
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
