/** The part of autocannon 9.0.0 that the twin uses; the package ships no types. */
declare module 'autocannon' {
  import type { EventEmitter } from 'node:events'

  export interface Options {
    readonly url: string
    readonly connections: number
    /** Seconds. */
    readonly duration: number
    /** Seconds. */
    readonly timeout: number
    /** Milliseconds. */
    readonly sampleInt: number
    readonly method: string
    readonly headers: Readonly<Record<string, string>>
    readonly body?: string
  }

  export interface Instance extends EventEmitter {
    stop(): void
  }

  export default function autocannon(options: Options, done: (error: Error | null) => void): Instance
}
