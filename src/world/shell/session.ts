import { Bash, InMemoryFs } from 'just-bash'
import type { Hold } from '../../lib/time/index.ts'
import type { ShellPlace, ShellPorts, ShellRunOptions } from './ports.ts'

/** Most bytes of output one command may give. */
export const OUTPUT_BYTES_MAX: number = 4 * 1024 * 1024

/** Most wall milliseconds one command may run; simulated time may be bounded by `timeout`. */
export const COMMAND_WALL_MS_MAX = 3_600_000

/** Programs that read commands from their input. */
export const SHELL_NAMES: ReadonlySet<string> = new Set(['sh', 'bash', 'ash'])

/** One running command line: whose it is, and the hold that keeps time standing while it works. */
export interface ShellSession {
  readonly ports: ShellPorts
  readonly place: ShellPlace
  readonly hold: Hold
  readonly signal: AbortSignal
  readonly onOutput: ShellRunOptions['onOutput']
}

/** Lets simulated time pass for a session; returns early when the signal aborts. */
export function sleepSession(session: ShellSession, delayMs: number, signal?: AbortSignal): Promise<void> {
  const { clock } = session.ports
  const stop = signal ?? session.signal
  return new Promise((resolve) => {
    if (stop.aborted) {
      resolve()
      return
    }
    const done = (): void => {
      scheduled.cancel()
      stop.removeEventListener('abort', done)
      session.hold.resume()
      resolve()
    }
    const scheduled = clock.at(clock.now() + delayMs, done)
    stop.addEventListener('abort', done)
    session.hold.suspend()
  })
}

/** Runs work that holds time by itself (a request, a load); the session holds nothing meanwhile. */
export async function lend<T>(session: ShellSession, work: () => Promise<T>): Promise<T> {
  const pending = work()
  session.hold.suspend()
  try {
    return await pending
  } finally {
    session.hold.resume()
  }
}

/** The file system of a place, kept between commands; bounded by just-bash's own limit. */
export function createPlaceFiles(): (place: ShellPlace) => InMemoryFs {
  const byPlace = new Map<string, InMemoryFs>()
  return (place) => {
    const key = place.kind === 'terminal' ? '' : `${place.namespace}/${place.pod}/${place.container ?? ''}`
    const known = byPlace.get(key)
    if (known !== undefined) return known
    const files = new InMemoryFs()
    byPlace.set(key, files)
    return files
  }
}

export { Bash }
