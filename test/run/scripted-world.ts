/** A world that plays a script of trace events on its own queue: another adapter of the World port, without a cluster. */
import { EventQueue } from '../../src/lib/time/index.ts'
import type { AppSpec, KubeObject } from '../../src/kinds/index.ts'
import type { TraceBody, TraceEvent } from '../../src/trace/index.ts'
import type { CommandResult, LoadTotals, World, WorldFigures, WorldSpec } from '../../src/world/index.ts'

/** What happens, and what commands lead to. */
export interface Script {
  /** Events by simulated milliseconds since the start. */
  readonly events?: readonly (readonly [number, TraceBody])[]
  /** Events by simulated milliseconds after a command that contains the key. */
  readonly onCommand?: Readonly<Record<string, readonly (readonly [number, TraceBody])[]>>
  /** What a command that contains the key gives back, and how long it takes. */
  readonly answers?: Readonly<Record<string, Partial<CommandResult> & { readonly ms?: number }>>
  readonly objects?: Readonly<Record<string, KubeObject>>
  readonly load?: readonly LoadTotals[]
  readonly startFails?: Error
  /** Fails in the middle of the run. */
  readonly failsAtMs?: readonly [number, Error]
}

/** What was done to a world. */
export interface ScriptedWorld extends World {
  readonly commands: readonly string[]
  readonly applied: readonly KubeObject[]
  readonly faults: Readonly<Record<string, AppSpec>>
  readonly stopped: () => boolean
}

/** Makes worlds that play the script, and keeps the last one. */
export function scriptedWorlds(script: Script): {
  create: (spec: WorldSpec) => Promise<World>
  last: () => ScriptedWorld
} {
  let last: ScriptedWorld | undefined
  return {
    create: async () => {
      if (script.startFails !== undefined) throw script.startFails
      last = createScriptedWorld(script)
      return last
    },
    last: () => {
      if (last === undefined) throw new Error('no world was made')
      return last
    }
  }
}

function createScriptedWorld(script: Script): ScriptedWorld {
  const queue = new EventQueue()
  const listeners: ((event: TraceEvent) => void)[] = []
  const holds = new Set<symbol>()
  const commands: string[] = []
  const applied: KubeObject[] = []
  const faults: Record<string, AppSpec> = {}
  let nowMs = 0
  let seq = 0
  let running = false
  let stopped = false
  let rejectFailed: (error: Error) => void = () => {}
  const failed = new Promise<never>((_resolve, reject) => {
    rejectFailed = reject
  })
  failed.catch(() => {})

  const record = (body: TraceBody): void => {
    const event = { ...body, atMs: nowMs, seq: seq++ }
    for (const listener of listeners) listener(event)
  }
  const pump = (): void => {
    setImmediate(() => {
      if (!running || stopped) return
      if (holds.size === 0) {
        const entry = queue.take()
        if (entry === undefined) return
        nowMs = entry.due
        entry.callback()
      }
      pump()
    })
  }
  const wake = (): void => {
    if (running && holds.size === 0) pump()
  }
  const at = (dueMs: number, callback: () => void): (() => void) => {
    const scheduled = queue.add(Math.max(dueMs, nowMs), callback)
    wake()
    return () => scheduled.cancel()
  }
  const hold = (name: string): (() => void) => {
    const key = Symbol(name)
    holds.add(key)
    return () => {
      if (holds.delete(key)) wake()
    }
  }
  const play = (events: readonly (readonly [number, TraceBody])[]): void => {
    for (const [afterMs, body] of events) at(nowMs + afterMs, () => record(body))
  }
  const run = async (command: string): Promise<CommandResult> => {
    commands.push(command)
    let release = hold(`command ${command}`)
    const answer = Object.entries(script.answers ?? {}).find(([part]) => command.includes(part))?.[1] ?? {}
    for (const [part, events] of Object.entries(script.onCommand ?? {})) if (command.includes(part)) play(events)
    if (answer.ms !== undefined) {
      release()
      await new Promise<void>((resolve) => {
        at(nowMs + (answer.ms ?? 0), () => {
          release = hold(`command ${command}`)
          resolve()
        })
      })
    }
    release()
    return { exitCode: answer.exitCode ?? 0, stdout: answer.stdout ?? '', stderr: answer.stderr ?? '' }
  }
  const figures = (): WorldFigures => ({
    simulatedMs: nowMs,
    wallMs: 1,
    load: script.load ?? [],
    wallMsBy: {},
    tlsHandshakes: 0,
    peakRssBytes: 0
  })
  return {
    time: { nowMs: () => nowMs, at, hold },
    addresses: undefined,
    onTrace: (listener) => void listeners.push(listener),
    record,
    start: () => {
      running = true
      play(script.events ?? [])
      const fails = script.failsAtMs
      if (fails !== undefined) at(fails[0], () => rejectFailed(fails[1]))
      pump()
    },
    apply: async (objects) => void applied.push(...objects),
    get: (kind, name) => script.objects?.[`${kind} ${name}`],
    run,
    setFaults: (image, spec) => {
      faults[image] = spec
    },
    query: () => [],
    failed,
    figures,
    stop: async () => {
      stopped = true
    },
    commands,
    applied,
    faults,
    stopped: () => stopped
  }
}
