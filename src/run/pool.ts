import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { TwinError } from '../lib/errors/index.ts'
import type { CaseTask } from './case-task.ts'
import type { CaseResult } from './result.ts'
import type { FromWorker, ToWorker } from './worker.ts'
import { WORKER_LIMITS } from './worker-limits.ts'

/** Wall milliseconds a worker has to end its world after the word to stop, before its thread is ended. */
const STOP_WALL_MS = 900

/** Runs cases side by side: one thread per core, one world per thread at a time. */
export class CasePool {
  readonly #size: number
  readonly #idle: Worker[] = []
  readonly #busy = new Set<Worker>()
  readonly #waiting: (() => void)[] = []
  #stopping = false

  /** @param size - threads at most; default: the number of cores */
  constructor(size: number = availableParallelism()) {
    this.#size = Math.max(1, size)
  }

  /** Runs a case as soon as a thread is free. */
  async run(task: CaseTask, onLine: (line: string) => void, onStart: () => void): Promise<CaseResult> {
    const worker = await this.#take()
    try {
      onStart()
      const result = await this.#converse(worker, task, onLine)
      this.#giveBack(worker)
      return result
    } catch (error) {
      await this.#discard(worker)
      throw error
    }
  }

  /** Tells every running case to stop; a thread that does not is ended. */
  stop(): void {
    this.#stopping = true
    for (const wake of this.#waiting.splice(0)) wake()
    for (const worker of this.#busy) {
      post(worker, { kind: 'stop' })
      setTimeout(() => void worker.terminate(), STOP_WALL_MS).unref()
    }
  }

  /** Ends all threads. */
  async close(): Promise<void> {
    await Promise.all([...this.#idle, ...this.#busy].map((worker) => worker.terminate()))
  }

  async #take(): Promise<Worker> {
    if (this.#stopping) throw new TwinError('TWIN_INTERRUPTED', 'interrupted')
    const free = this.#idle.pop()
    if (free !== undefined) {
      this.#busy.add(free)
      return free
    }
    if (this.#busy.size < this.#size) {
      const worker = new Worker(workerEntry(), { resourceLimits: WORKER_LIMITS })
      this.#busy.add(worker)
      return worker
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
    return this.#take()
  }

  #giveBack(worker: Worker): void {
    this.#busy.delete(worker)
    this.#idle.push(worker)
    this.#next()
  }

  async #discard(worker: Worker): Promise<void> {
    this.#busy.delete(worker)
    await worker.terminate()
    this.#next()
  }

  #next(): void {
    this.#waiting.shift()?.()
  }

  #converse(worker: Worker, task: CaseTask, onLine: (line: string) => void): Promise<CaseResult> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        worker.off('message', onMessage)
        worker.off('error', onError)
        worker.off('exit', onExit)
        settle()
      }
      const onMessage = (message: FromWorker): void => {
        if (message.kind === 'line') onLine(message.line)
        else if (message.kind === 'done') end(() => resolve(message.result))
        else end(() => reject(new TwinError('TWIN_INTERNAL', message.message)))
      }
      const onError = (cause: unknown): void =>
        end(() => reject(new TwinError('TWIN_INTERNAL', messageOf(cause), { cause })))
      const onExit = (code: number): void => {
        const error = this.#stopping
          ? new TwinError('TWIN_INTERRUPTED', 'interrupted')
          : new TwinError('TWIN_INTERNAL', `the worker ended with code ${code}`)
        end(() => reject(error))
      }
      worker.on('message', onMessage)
      worker.on('error', onError)
      worker.on('exit', onExit)
      post(worker, { kind: 'run', task })
    })
  }
}

/** The worker's file beside this one: TypeScript in the sources, JavaScript in the package. */
function workerEntry(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url)
}

function post(worker: Worker, message: ToWorker): void {
  worker.postMessage(message)
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
