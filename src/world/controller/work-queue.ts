import type { Scheduled, Timeline } from '../../lib/time/index.ts'

/** First wait of a key, doubled with each attempt that was not followed by a success. */
const WAIT_MS = 5
const WAIT_MAX_MS = 1_000_000
/** Shorter waits make no difference to a control loop of seconds: the key is taken at once. */
const WAIT_MIN_MS = 1_000

/** What a queue needs of its owner. */
export interface WorkQueueOptions {
  readonly timeline: Timeline
  /** How many keys are worked on at the same time. */
  readonly workers: number
  /** Works on a key and calls back with whether that failed. */
  readonly process: (key: string, done: (failed: boolean) => void) => void
}

/**
 * client-go's rate-limited work queue: a key is in it once, is never worked on twice at the same time, and waits the
 * longer the more often it has failed. A failed key does not come back by itself.
 * @see k8s.io/client-go util/workqueue v0.36.2 DefaultControllerRateLimiter; fluxcd/flagger pkg/controller/controller.go processNextWorkItem 1.44.0
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions
  readonly #waiting = new Map<string, Scheduled>()
  readonly #queue = new Set<string>()
  readonly #processing = new Set<string>()
  /** Keys that came again while they were worked on. */
  readonly #dirty = new Set<string>()
  readonly #attempts = new Map<string, number>()
  #state: 'new' | 'started' | 'stopped' = 'new'

  constructor(options: WorkQueueOptions) {
    this.#options = options
  }

  /** Lets the workers begin. */
  start(): void {
    this.#state = 'started'
    this.#work()
  }

  /** No key is taken from now on. */
  stop(): void {
    this.#state = 'stopped'
    for (const wait of this.#waiting.values()) wait.cancel()
    this.#waiting.clear()
  }

  /** Adds a key, after its wait. */
  add(key: string): void {
    if (this.#state === 'stopped') return
    const attempts = this.#attempts.get(key) ?? 0
    this.#attempts.set(key, attempts + 1)
    const waitMs = Math.min(WAIT_MAX_MS, WAIT_MS * 2 ** attempts)
    if (waitMs < WAIT_MIN_MS) return this.#addNow(key)
    // The wait that began first ends first.
    if (this.#waiting.has(key)) return
    const { timeline } = this.#options
    const wait = timeline.at(timeline.now() + waitMs, () => {
      this.#waiting.delete(key)
      this.#addNow(key)
    })
    this.#waiting.set(key, wait)
  }

  #addNow(key: string): void {
    if (this.#processing.has(key)) this.#dirty.add(key)
    else this.#queue.add(key)
    this.#work()
  }

  #work(): void {
    if (this.#state !== 'started') return
    for (const key of this.#queue) {
      if (this.#processing.size >= this.#options.workers) return
      this.#queue.delete(key)
      this.#processing.add(key)
      this.#options.process(key, (failed) => this.#processed(key, failed))
    }
  }

  #processed(key: string, failed: boolean): void {
    this.#processing.delete(key)
    if (!failed) this.#attempts.delete(key)
    if (this.#dirty.delete(key)) this.#queue.add(key)
    this.#work()
  }
}
