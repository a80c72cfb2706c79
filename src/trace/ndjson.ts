import type { TraceEvent } from './events.ts'

/** Version of the trace file's format; raised when a reader of the old one would misread it. */
export const TRACE_VERSION = 1

/** First line of a trace file: what the run was, so that it can be repeated. */
export interface TraceHeader {
  readonly trace: 'rollout-twin'
  readonly version: number
  readonly scenario: string
  readonly file: string
  readonly world: string
  readonly seed: number
  readonly speed: string
  readonly versions: Readonly<Record<string, string>>
  /** SHA-256 of the scenario's resolved inputs. */
  readonly inputsDigest: string
}

/** The header's line, line feed included. */
export function encodeHeader(header: Omit<TraceHeader, 'trace' | 'version'>): string {
  return `${JSON.stringify({ trace: 'rollout-twin', version: TRACE_VERSION, ...header })}\n`
}

/** An event's line, line feed included. */
export function encodeEvent(event: TraceEvent): string {
  return `${JSON.stringify(event)}\n`
}

/** A read trace, or the line that is none. */
export type DecodedTrace =
  | { readonly ok: true; readonly header: TraceHeader; readonly events: readonly TraceEvent[] }
  | { readonly ok: false; readonly line: number; readonly message: string }

/** Reads a trace file; a last line cut short by an interruption is left out. */
export function decodeTrace(text: string): DecodedTrace {
  const lines = text.split('\n')
  const complete = lines.slice(0, -1)
  const header = parseLine(complete[0] ?? lines[0] ?? '')
  if (!isHeader(header))
    return { ok: false, line: 1, message: 'not a trace of rollout-twin: its first line is no header' }
  if (header.version !== TRACE_VERSION) {
    return { ok: false, line: 1, message: `trace version ${header.version}, this program reads ${TRACE_VERSION}` }
  }
  const events: TraceEvent[] = []
  for (const [index, line] of complete.slice(1).entries()) {
    const event = parseLine(line)
    if (!isEvent(event)) return { ok: false, line: index + 2, message: 'not an event' }
    events.push(event)
  }
  return { ok: true, header, events }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line) as unknown
  } catch {
    return undefined
  }
}

function isHeader(value: unknown): value is TraceHeader {
  return typeof value === 'object' && value !== null && 'trace' in value && value.trace === 'rollout-twin'
}

function isEvent(value: unknown): value is TraceEvent {
  return typeof value === 'object' && value !== null && 'kind' in value && 'atMs' in value && 'seq' in value
}
