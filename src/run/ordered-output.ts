import type { ResolvedScenario } from '../scenario/index.ts'
import type { SessionObserver } from './observer.ts'
import type { CaseResult } from './result.ts'

interface Buffered {
  readonly calls: (() => void)[]
  ended: boolean
}

/** Lets cases that run side by side speak one after the other: the first that has not ended speaks live, the rest wait. */
export class OrderedOutput {
  readonly #observer: SessionObserver
  readonly #buffers = new Map<number, Buffered>()
  #live = 0

  constructor(observer: SessionObserver) {
    this.#observer = observer
  }

  start(index: number, scenario: ResolvedScenario, repetition: number): void {
    this.#say(index, () => this.#observer.onCaseStart?.(scenario, repetition))
  }

  line(index: number, line: string): void {
    this.#say(index, () => this.#observer.onLine?.(line))
  }

  end(index: number, result: CaseResult): void {
    this.#say(index, () => this.#observer.onCaseEnd?.(result))
    this.#buffer(index).ended = true
    while (this.#buffers.get(this.#live)?.ended === true) {
      this.#buffers.delete(this.#live)
      this.#live += 1
      this.#flush(this.#live)
    }
  }

  #say(index: number, call: () => void): void {
    const buffer = this.#buffer(index)
    if (index === this.#live) call()
    else buffer.calls.push(call)
  }

  #buffer(index: number): Buffered {
    const known = this.#buffers.get(index)
    if (known !== undefined) return known
    const fresh: Buffered = { calls: [], ended: false }
    this.#buffers.set(index, fresh)
    return fresh
  }

  #flush(index: number): void {
    const buffer = this.#buffers.get(index)
    for (const call of buffer?.calls.splice(0) ?? []) call()
  }
}
