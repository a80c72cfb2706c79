import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

/** One step of a transcript; which keys are there says what kind it is. */
export interface Step {
  readonly run?: string
  readonly until?: string
  readonly is?: string
  readonly capture?: string
  readonly as?: string
  readonly start?: string
  readonly name?: string
  readonly stop?: string
  readonly after?: number
  readonly http?: string
  readonly stored?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly format?: 'text' | 'table' | 'describe'
  readonly order?: 'any'
  readonly lines?: 'last'
  readonly compare?: 'exit' | 'status'
  readonly eventually?: boolean
  readonly exit?: number
  readonly stdout?: string
  readonly stderr?: string
  readonly status?: number
  readonly responseHeaders?: Readonly<Record<string, string>>
  readonly response?: unknown
  readonly responseText?: string
  readonly pick?: readonly string[]
  readonly take?: Readonly<Record<string, string>>
  readonly object?: unknown
}

/** A recorded session. */
export interface Transcript {
  readonly id: string
  readonly namespace?: string
  readonly exclusive?: boolean
  readonly crds?: readonly string[]
  readonly files?: Readonly<Record<string, string>>
  readonly steps: readonly Step[]
}

/** Reads a transcript. */
export function readTranscript(path: string): Transcript {
  // Times stay texts: only the core schema's types are read.
  return parse(readFileSync(path, 'utf8'), { schema: 'core', maxAliasCount: -1 }) as Transcript
}
