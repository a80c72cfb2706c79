import type { Duplex } from 'node:stream'
import { SpdyHeaderReader, SpdyHeaderWriter } from './spdy-headers.ts'

const SYN_STREAM = 1
const SYN_REPLY = 2
const RST_STREAM = 3
const PING = 6
const GOAWAY = 7
const FLAG_FIN = 1
/** Streams one connection may have open; a port-forward uses two for each local connection. */
const STREAMS_MAX = 2000
const FRAME_BYTES_MAX = 1024 * 1024

/** One stream of a SPDY connection, as the server sees it. */
export interface SpdyStream {
  readonly id: number
  readonly headers: ReadonlyMap<string, string>
  write(chunk: Buffer): void
  /** Ends our side. */
  end(): void
  reset(): void
  onData: (chunk: Buffer) => void
  /** The client's side has ended, or the stream or connection is gone. */
  onEnd: () => void
}

/**
 * The server side of SPDY/3.1 as kubectl's port-forward speaks it (moby/spdystream: no flow control), over any duplex:
 * a TCP connection after an HTTP upgrade, or the binary messages of a WebSocket.
 */
export class SpdySession {
  readonly #duplex: Duplex
  readonly #onStream: (stream: SpdyStream) => void
  readonly #reader = new SpdyHeaderReader()
  readonly #writer = new SpdyHeaderWriter()
  readonly #streams = new Map<number, SpdyStream>()
  #buffered: Buffer = Buffer.alloc(0)
  #work: Promise<void> = Promise.resolve()

  constructor(duplex: Duplex, onStream: (stream: SpdyStream) => void) {
    this.#duplex = duplex
    this.#onStream = onStream
    duplex.on('data', (chunk: Buffer) => this.#take(chunk))
    duplex.on('close', () => this.#closed())
    duplex.on('error', () => duplex.destroy())
  }

  /** Frames are handled one after the other: the state of the header compression depends on their order. */
  #take(chunk: Buffer): void {
    this.#buffered = this.#buffered.length === 0 ? chunk : Buffer.concat([this.#buffered, chunk])
    for (;;) {
      const frame = this.#nextFrame()
      if (frame === undefined) return
      this.#work = this.#work.then(() => this.#handle(frame)).catch(() => void this.#duplex.destroy())
    }
  }

  #nextFrame(): Buffer | undefined {
    if (this.#buffered.length < 8) return undefined
    const length = this.#buffered.readUIntBE(5, 3)
    if (length > FRAME_BYTES_MAX) {
      this.#duplex.destroy()
      return undefined
    }
    if (this.#buffered.length < 8 + length) return undefined
    const frame = this.#buffered.subarray(0, 8 + length)
    this.#buffered = this.#buffered.subarray(8 + length)
    return frame
  }

  async #handle(frame: Buffer): Promise<void> {
    const flags = frame.readUInt8(4)
    if ((frame.readUInt8(0) & 0x80) === 0) return this.#handleData(frame.readUInt32BE(0), flags, frame.subarray(8))
    switch (frame.readUInt16BE(2)) {
      case SYN_STREAM:
        return await this.#handleOpen(frame.readUInt32BE(8) & 0x7fffffff, flags, frame.subarray(18))
      case RST_STREAM:
        return this.#endStream(frame.readUInt32BE(8) & 0x7fffffff)
      case PING:
        this.#duplex.write(frame)
        return
      case GOAWAY:
        this.#duplex.end()
        return
      default:
        return
    }
  }

  #handleData(id: number, flags: number, payload: Buffer): void {
    const stream = this.#streams.get(id)
    if (stream === undefined) return
    if (payload.length > 0) stream.onData(payload)
    if ((flags & FLAG_FIN) !== 0) stream.onEnd()
  }

  async #handleOpen(id: number, flags: number, block: Buffer): Promise<void> {
    const headers = await this.#reader.read(block)
    if (this.#streams.size >= STREAMS_MAX) {
      this.#duplex.destroy()
      return
    }
    const stream = this.#createStream(id, headers)
    this.#streams.set(id, stream)
    this.#writeControl(SYN_REPLY, Buffer.concat([uint32(id), this.#writer.write({})]))
    this.#onStream(stream)
    if ((flags & FLAG_FIN) !== 0) stream.onEnd()
  }

  #createStream(id: number, headers: ReadonlyMap<string, string>): SpdyStream {
    let ended = false
    return {
      id,
      headers,
      onData: () => {},
      onEnd: () => {},
      write: (chunk) => {
        if (!ended) this.#writeData(id, 0, chunk)
      },
      end: () => {
        if (ended) return
        ended = true
        this.#writeData(id, FLAG_FIN, Buffer.alloc(0))
      },
      reset: () => {
        ended = true
        this.#streams.delete(id)
        this.#writeControl(RST_STREAM, Buffer.concat([uint32(id), uint32(5)]))
      }
    }
  }

  #endStream(id: number): void {
    const stream = this.#streams.get(id)
    this.#streams.delete(id)
    stream?.onEnd()
  }

  #writeData(id: number, flags: number, payload: Buffer): void {
    const head = Buffer.alloc(8)
    head.writeUInt32BE(id)
    head.writeUInt8(flags, 4)
    head.writeUIntBE(payload.length, 5, 3)
    this.#send(payload.length === 0 ? head : Buffer.concat([head, payload]))
  }

  #writeControl(type: number, payload: Buffer): void {
    const head = Buffer.alloc(8)
    head.writeUInt16BE(0x8003)
    head.writeUInt16BE(type, 2)
    head.writeUIntBE(payload.length, 5, 3)
    this.#send(Buffer.concat([head, payload]))
  }

  #send(bytes: Buffer): void {
    if (!this.#duplex.destroyed && this.#duplex.writable) this.#duplex.write(bytes)
  }

  #closed(): void {
    for (const id of this.#streams.keys()) this.#endStream(id)
    this.#reader.close()
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}
