import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { TwinError } from '../../lib/errors/index.ts'
import type { Holds } from './holds.ts'

/** Most bytes of a request body a listener takes. */
const BODY_BYTES_MAX = 16 * 1024 * 1024

/** An HTTP listener on loopback. */
export class Listener {
  readonly #server: Server
  /** Resolves with the port once it listens. */
  readonly opened: Promise<number>
  readonly #release: () => void
  #port = 0

  /**
   * @param port - 0 for any free one
   * @param holds - time stands still until it listens
   */
  constructor(
    handle: RequestListener,
    options: {
      readonly name: string
      readonly port?: number
      readonly holds?: Holds | undefined
      readonly host?: string
    }
  ) {
    this.#server = createServer(
      {
        keepAliveTimeout: 0,
        requestTimeout: 0,
        headersTimeout: 0,
        connectionsCheckingInterval: 2 ** 30,
        noDelay: true
      },
      handle
    )
    const hold = options.holds?.hold(`listen ${options.name}`)
    this.#release = () => hold?.release()
    this.opened = new Promise<number>((resolve, reject) => {
      this.#server.once('error', (cause) => {
        this.#release()
        reject(listenError(cause, options.name, options.port ?? 0))
      })
      this.#server.listen(options.port ?? 0, options.host ?? '127.0.0.1', () => {
        this.#port = (this.#server.address() as AddressInfo).port
        this.#release()
        resolve(this.#port)
      })
    })
    // Whoever needs the port awaits it; without a reader a failure must not end the process unnamed.
    this.opened.catch(() => {})
  }

  /** The port; 0 until it listens. */
  get port(): number {
    return this.#port
  }

  /** Calls back for each connection. */
  onConnection(opened: (change: 1 | -1) => void): void {
    this.#server.on('connection', (socket) => {
      opened(1)
      socket.once('close', () => opened(-1))
    })
  }

  /** Takes no new connections; those that are busy end after their answer. */
  drain(): void {
    this.#release()
    this.#server.close()
    this.#server.closeIdleConnections()
  }

  /** Closes at once, breaking what is on its way. */
  async close(): Promise<void> {
    this.#release()
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
    })
    this.#server.closeAllConnections()
    await closed
  }
}

function listenError(cause: Error, name: string, port: number): TwinError {
  if ('code' in cause && cause.code === 'EADDRINUSE')
    return new TwinError('TWIN_PORT_IN_USE', `port ${port} is taken`, { cause })
  return new TwinError('TWIN_WORLD_START', `cannot listen for ${name}: ${cause.message}`, { cause })
}

/** Reads a request's body; calls back at once for a request without one, and never for a client that left. */
export function readBody(incoming: IncomingMessage, done: (body: Buffer | undefined) => void): void {
  const { headers } = incoming
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) {
    done(undefined)
    return
  }
  const chunks: Buffer[] = []
  let bytes = 0
  incoming.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > BODY_BYTES_MAX) incoming.destroy()
    else chunks.push(chunk)
  })
  incoming.on('end', () => done(Buffer.concat(chunks)))
}
