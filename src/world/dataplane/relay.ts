import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Hold, Timeline } from '../../lib/time/index.ts'
import type { ProxyAnswer } from '../../model/mesh/index.ts'
import type { Cancellable, HoldUsers } from './holds.ts'

type Headers = Readonly<Record<string, string | string[] | undefined>>

/** Headers that belong to one connection. */
const HOP_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'proxy-connection',
  'upgrade'
])
const BODY_HEADERS: ReadonlySet<string> = new Set(['content-length', 'expect'])

/** Answers up to this size go out in one piece with their headers. */
export const WHOLE_BYTES_MAX: number = 65_536

/** Passes an answer on to a client as it comes: small ones of known length whole, others piece by piece. */
export class Relay {
  readonly #response: ServerResponse
  #chunks: Buffer[] | undefined
  #headed = false

  constructor(response: ServerResponse) {
    this.#response = response
    response.sendDate = false
  }

  head(status: number, headers: Headers): void {
    const passed: Record<string, string | string[]> = {}
    for (const name in headers) {
      const value = headers[name]
      if (value !== undefined && !HOP_HEADERS.has(name)) passed[name] = value
    }
    this.#headed = true
    this.#response.writeHead(status, passed)
    const length = passed['content-length']
    if (length !== undefined && Number(length) <= WHOLE_BYTES_MAX) this.#chunks = []
    else this.#response.flushHeaders()
  }

  data(chunk: Buffer): void {
    if (this.#chunks === undefined) this.#response.write(chunk)
    else this.#chunks.push(chunk)
  }

  end(): void {
    const chunks = this.#chunks
    if (chunks === undefined || chunks.length === 0) this.#response.end()
    else endWhole(this.#response, chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks))
  }

  /** The upstream broke off: so does this answer. */
  break(): void {
    this.#response.destroy()
  }

  /** Gives an answer of the proxy's own. */
  answer(answer: ProxyAnswer, extra: Readonly<Record<string, string>> = {}): void {
    if (answer.status === 0) {
      this.#response.destroy()
      return
    }
    const body = Buffer.from(answer.body)
    const headers: Record<string, string | number> = { ...answer.headers, ...extra, 'content-length': body.length }
    if (answer.close) headers['connection'] = 'close'
    this.#headed = true
    this.#response.writeHead(answer.status, headers)
    endWhole(this.#response, body)
  }

  get headed(): boolean {
    return this.#headed
  }
}

/**
 * Ends an answer with a small body. As text of one byte a character, which Node appends to the headers, so that both go out
 * in one write; a Buffer would be a write of two pieces.
 */
export function endWhole(response: ServerResponse, body: Buffer): void {
  response.end(body.toString('latin1'), 'latin1')
}

/** Headers to send on: without those of the connection, the body's length and the twin's own. */
export function forwardedHeaders(rawHeaders: readonly string[], drop: ReadonlySet<string>): string[] {
  const headers: string[] = []
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    const lower = name.toLowerCase()
    if (lower.startsWith('x-twin-') || HOP_HEADERS.has(lower) || BODY_HEADERS.has(lower) || drop.has(lower)) continue
    headers.push(name, rawHeaders[index + 1] ?? '')
  }
  return headers
}

/** What a handler of a request shares: its hold, what it waits for, and whether the client is still there. */
export class Passage {
  readonly hold: Hold | undefined
  readonly timeline: Timeline
  #waiting: Cancellable | undefined
  #abort: (() => void) | undefined
  #over = false
  readonly #onGone: () => void
  readonly #leave: () => void

  /** @param onGone - called once if the client leaves before the answer is complete */
  constructor(
    response: ServerResponse,
    options: {
      readonly hold: Hold | undefined
      readonly timeline: Timeline
      readonly users: HoldUsers
      readonly onGone: () => void
    }
  ) {
    this.hold = options.hold
    this.timeline = options.timeline
    this.#onGone = options.onGone
    this.#leave = options.users.add(options.hold, () => this.#gone())
    response.on('close', () => {
      if (!response.writableFinished) this.#gone()
      else this.#leave()
    })
  }

  #gone(): void {
    if (this.#over) return
    this.finish()
    this.#waiting?.cancel()
    this.#abort?.()
    this.#onGone()
  }

  /** Remembers what to call off when the client leaves. */
  waits(waiting: Cancellable | undefined): void {
    this.#waiting = waiting
  }

  /** Remembers how to call the upstream off when the client leaves. */
  sends(abort: (() => void) | undefined): void {
    this.#abort = abort
  }

  /** Calls the upstream off, e.g. for another attempt. */
  abort(): void {
    this.#abort?.()
    this.#abort = undefined
  }

  /** Nothing more follows. */
  finish(): void {
    this.#over = true
    this.#leave()
  }

  get over(): boolean {
    return this.#over
  }
}

/** One header of a request; several of a name count as the first. */
export function headerOf(incoming: IncomingMessage, name: string): string | undefined {
  const value = incoming.headers[name]
  return Array.isArray(value) ? value[0] : value
}
