import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { wallClock } from '../lib/time/index.ts'
import { encodeEvent, encodeHeader, type TraceEvent, type TraceHeader } from '../trace/index.ts'

/** Characters kept back before they are written, so that a run with many events makes few writes. */
const BUFFER_CHARACTERS = 65_536
/** Wall milliseconds that events are kept back at most while others follow: what a killed process loses. */
const BUFFER_WALL_MS = 500

/** A trace file that grows with the run: whatever ends the run, what happened so far is on disk after {@link TraceFile.close}. */
export class TraceFile {
  readonly path: string
  readonly #descriptor: number
  #buffer = ''
  #open = true
  #flushedWallMs: number = wallClock.now()

  /** @param folder - made when it does not exist; an older trace in it is replaced */
  constructor(folder: string, header: Omit<TraceHeader, 'trace' | 'version'>) {
    mkdirSync(folder, { recursive: true })
    this.path = join(folder, 'trace.ndjson')
    this.#descriptor = openSync(this.path, 'w')
    this.#write(encodeHeader(header))
    this.#flush()
  }

  add(event: TraceEvent): void {
    if (this.#open) this.#write(encodeEvent(event))
  }

  close(): void {
    if (!this.#open) return
    this.#flush()
    this.#open = false
    closeSync(this.#descriptor)
  }

  #write(text: string): void {
    this.#buffer += text
    const late = wallClock.now() - this.#flushedWallMs >= BUFFER_WALL_MS
    if (late || this.#buffer.length >= BUFFER_CHARACTERS) this.#flush()
  }

  #flush(): void {
    this.#flushedWallMs = wallClock.now()
    if (this.#buffer === '') return
    writeSync(this.#descriptor, this.#buffer)
    this.#buffer = ''
  }
}

/** Folder of a case below the output folder: its name with everything odd replaced. */
export function caseFolder(outputFolder: string, name: string, repetition: number): string {
  const safe = name.replaceAll(/[^\w.=,[\]-]+/g, '_')
  return join(outputFolder, repetition > 1 ? `${safe}.${repetition}` : safe)
}
