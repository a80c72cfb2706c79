import type { AppFetch, AppFetchResult } from '../../../model/app/index.ts'
import type { Timeline } from '../../../lib/time/index.ts'
import type { KubeClient } from '../../shell/index.ts'
import type { CommandResult } from '../../world.ts'
import type { RequestClass, VirtualClient } from '../routes.ts'
import { commandObstacle, quoted, readCommandLine, watched } from './command-line.ts'
import { curlOutcome, readCurl } from './curl.ts'
import { grep, jq } from './filters.ts'
import { readHey } from './hey.ts'
import { runKubectl } from './kubectl.ts'

/** Where a command runs. */
export type CommandPlace = { readonly kind: 'terminal' } | { readonly kind: 'pod'; readonly client: VirtualClient }

/** A closed loop of requests. */
export interface LoopSpec {
  readonly request: RequestClass
  readonly workers: number
  readonly ratePerWorker?: number
  readonly requests?: number
  readonly durationMs?: number
  readonly timeoutMs: number
}

/** What commands reach of their world. */
export interface CommandPorts {
  readonly timeline: Timeline
  readonly client: KubeClient
  fetch(from: VirtualClient, request: AppFetch, done: (result: AppFetchResult) => void): void
  /** Runs a loop to its end; `done` hears its report. The returned function ends it early. */
  loop(from: VirtualClient, spec: LoopSpec, done: (stdout: string) => void): () => void
  /** A running pod as the place of a command; undefined: it does not run. @param name - of a pod or of its workload */
  placeOf(namespace: string, name: string): CommandPlace | undefined
}

type Done = (result: CommandResult) => void

const KILLED: CommandResult = { exitCode: 130, stdout: '', stderr: '' }

/** Runs the commands of the closed list on the timeline: nothing in them waits for anything but simulated time. */
export class Commands {
  readonly #ports: CommandPorts
  readonly #running = new Set<() => void>()

  constructor(ports: CommandPorts) {
    this.#ports = ports
  }

  /** Runs a command line; `done` hears how it ended, once. @returns ends it early */
  run(text: string, place: CommandPlace, done: Done): () => void {
    const obstacle = commandObstacle(text)
    const line = readCommandLine(text)
    if (obstacle !== undefined || !line.ok) {
      done({ exitCode: 127, stdout: '', stderr: `${obstacle ?? ''} is not understood in the virtual world\n` })
      return () => {}
    }
    let over = false
    let stop = (): void => {}
    const finish: Done = (result) => {
      if (over) return
      over = true
      this.#running.delete(cancel)
      done(result)
    }
    const cancel = (): void => {
      if (over) return
      stop()
      finish(KILLED)
    }
    this.#running.add(cancel)
    const [first = [], ...filters] = line.pipe
    stop = this.#program(first, place, (result) => finish(piped(result, filters)))
    return cancel
  }

  /** Ends every command. */
  stop(): void {
    for (const cancel of this.#running) cancel()
  }

  #program(words: readonly string[], place: CommandPlace, done: Done): () => void {
    const [program, ...rest] = words
    switch (program) {
      case 'kubectl':
        return this.#kubectl(rest, place, done)
      case 'curl':
        return this.#curl(rest, place, done)
      case 'hey':
        return this.#hey(rest, place, done)
      case 'watch':
        return this.#watch(rest, place, done)
      case 'sleep': {
        const { timeline } = this.#ports
        const timer = timeline.at(timeline.now() + sleepMs(rest), () => done(ended(0)))
        return () => timer.cancel()
      }
      case 'echo':
        done({ ...ended(0), stdout: `${rest.join(' ')}\n` })
        break
      case 'true':
      case 'false':
        done(ended(program === 'true' ? 0 : 1))
        break
      default:
        done(piped(ended(0), [words]))
    }
    return () => {}
  }

  #kubectl(words: readonly string[], place: CommandPlace, done: Done): () => void {
    const { client, timeline } = this.#ports
    const namespace = place.kind === 'pod' ? place.client.namespace : 'default'
    if (!words.includes('exec')) {
      done(runKubectl(words, { client, now: timeline.now(), namespace }))
      return () => {}
    }
    const dashes = words.indexOf('--')
    const flag = words.findIndex((word) => word === '-n' || word === '--namespace')
    const where = flag < 0 || flag > dashes ? namespace : (words[flag + 1] ?? namespace)
    const target = (words[words.indexOf('exec') + 1] ?? '').replace(/^(deploy|deployment|pod|po)\//, '')
    const inside = this.#ports.placeOf(where, target)
    if (inside === undefined) {
      done({ ...ended(1), stderr: `Error from server (NotFound): pods "${target}" not found\n` })
      return () => {}
    }
    return this.run(quoted(words.slice(dashes + 1)), inside, done)
  }

  #curl(words: readonly string[], place: CommandPlace, done: Done): () => void {
    const curl = readCurl(words)
    if (typeof curl === 'string') {
      done({ ...ended(2), stderr: `curl: ${curl}\n` })
      return () => {}
    }
    const finish = (result: AppFetchResult): void => done(curlOutcome(curl, result))
    // The operator's terminal is outside the cluster: no name of it resolves there.
    if (place.kind === 'terminal') finish({ ok: false, reason: 'unresolved', message: '', elapsedMs: 0 })
    else this.#ports.fetch(place.client, curl.fetch, finish)
    return () => {}
  }

  #hey(words: readonly string[], place: CommandPlace, done: Done): () => void {
    const spec = readHey(words)
    if (typeof spec === 'string' || place.kind === 'terminal') {
      done({ ...ended(1), stderr: `${typeof spec === 'string' ? spec : 'no such host'}\n` })
      return () => {}
    }
    return this.#ports.loop(place.client, spec, (stdout) => done({ ...ended(0), stdout }))
  }

  /** The command, then the pause, for ever. */
  #watch(words: readonly string[], place: CommandPlace, done: Done): () => void {
    const asked = watched(words)
    if (asked === undefined) {
      done(ended(1))
      return () => {}
    }
    const { timeline } = this.#ports
    let stopped = false
    const round = (): void => {
      if (stopped) return
      this.run(asked.command, place, () => timeline.at(timeline.now() + asked.everyMs, round))
    }
    round()
    return () => {
      stopped = true
    }
  }
}

function ended(exitCode: number): CommandResult {
  return { exitCode, stdout: '', stderr: '' }
}

function piped(first: CommandResult, filters: readonly (readonly string[])[]): CommandResult {
  return filters.reduce((before, [program, ...words]) => {
    const result = program === 'jq' ? jq(words, before.stdout) : grep(words, before.stdout)
    return { ...result, stderr: before.stderr + result.stderr }
  }, first)
}

function sleepMs([text = '0']: readonly string[]): number {
  const [, number = '0', unit = 's'] = /^([\d.]+)([smhd]?)$/.exec(text) ?? []
  const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
  return Number(number) * (units[unit === '' ? 's' : unit] ?? 1000)
}
