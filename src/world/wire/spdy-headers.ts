import { createInflate, type Inflate } from 'node:zlib'
import { SPDY_DICTIONARY, SPDY_DICTIONARY_ADLER32 } from './spdy-dictionary.data.ts'

/** Largest header block taken, bytes after decompression. */
const HEADER_BYTES_MAX = 64 * 1024

type Headers = ReadonlyMap<string, string>

/** Reads the header blocks of one connection; the compression state runs through all of them, so they come in order. */
export class SpdyHeaderReader {
  readonly #inflate: Inflate = createInflate({ dictionary: SPDY_DICTIONARY })
  #plain: Buffer = Buffer.alloc(0)
  #waiting: { readonly resolve: (headers: Headers) => void; readonly reject: (error: Error) => void } | undefined

  constructor() {
    this.#inflate.on('data', (chunk: Buffer) => this.#take(chunk))
    this.#inflate.on('error', (error) => this.#waiting?.reject(error))
  }

  /** Header names (lower case) and values of one block; one call at a time. @throws Error when the block is none */
  read(block: Buffer): Promise<Headers> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#inflate.write(block)
    })
  }

  close(): void {
    this.#inflate.close()
  }

  /** What comes out of the decompression may come in parts: a block is whole when all its texts are there. */
  #take(chunk: Buffer): void {
    this.#plain = Buffer.concat([this.#plain, chunk])
    if (this.#plain.length > HEADER_BYTES_MAX) this.#waiting?.reject(new Error('SPDY header block too large'))
    const headers = parseHeaderBlock(this.#plain)
    if (headers === undefined) return
    this.#plain = Buffer.alloc(0)
    this.#waiting?.resolve(headers)
    this.#waiting = undefined
  }
}

/** The headers of a block; undefined while it is not whole. */
function parseHeaderBlock(block: Buffer): Headers | undefined {
  if (block.length < 4) return undefined
  const texts: string[] = []
  let offset = 4
  for (let left = 2 * block.readUInt32BE(0); left > 0; left--) {
    if (block.length < offset + 4) return undefined
    const end = offset + 4 + block.readUInt32BE(offset)
    if (block.length < end) return undefined
    texts.push(block.toString('utf8', offset + 4, end))
    offset = end
  }
  const headers = new Map<string, string>()
  for (let index = 0; index < texts.length; index += 2) {
    headers.set((texts[index] ?? '').toLowerCase(), texts[index + 1] ?? '')
  }
  return headers
}

/** An empty stored block: readers hand out what they have when they meet it (zlib's Z_SYNC_FLUSH). */
const SYNC_FLUSH: Buffer = Buffer.from([0, 0, 0, 0xff, 0xff])

/**
 * Writes header blocks: valid zlib of the protocol's dictionary, with stored (uncompressed) parts, which keeps it
 * synchronous. The first block of a connection carries the zlib header.
 */
export class SpdyHeaderWriter {
  #started = false

  write(headers: Readonly<Record<string, string>>): Buffer {
    const parts: Buffer[] = [uint32(Object.keys(headers).length)]
    for (const [name, value] of Object.entries(headers)) {
      for (const text of [name, value]) {
        const bytes = Buffer.from(text, 'utf8')
        parts.push(uint32(bytes.length), bytes)
      }
    }
    const plain = Buffer.concat(parts)
    const stored = Buffer.alloc(5)
    stored.writeUInt16LE(plain.length, 1)
    stored.writeUInt16LE(~plain.length & 0xffff, 3)
    const prefix = this.#started ? [] : [Buffer.from([0x78, 0xbb]), uint32(SPDY_DICTIONARY_ADLER32)]
    this.#started = true
    return Buffer.concat([...prefix, stored, plain, SYNC_FLUSH])
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}
