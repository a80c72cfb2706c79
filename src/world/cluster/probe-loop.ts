import type { Scheduled } from '../../lib/time/index.ts'
import {
  type Container,
  NO_RESULTS,
  type Pod,
  type Probe,
  type ProbeCount,
  type ProbeKind,
  countResult,
  probeDelayMs,
  probePeriodMs
} from '../../model/controllers/index.ts'
import type { KubeletPort } from './pod-worker.ts'

/** Where a container's probes report to. */
export interface ProbeListener {
  pod(): Pod
  /** The container counts as started or ready, or no longer does. */
  update(state: { readonly started?: boolean; readonly ready?: boolean }): void
  /** The container has to be restarted. */
  failed(kind: ProbeKind): void
  /** A failed probe's event text. */
  event(message: string): void
}

const TITLES: Readonly<Record<ProbeKind, string>> = {
  startup: 'Startup',
  liveness: 'Liveness',
  readiness: 'Readiness'
}

/** The probes of one run of one container: startup first, then liveness and readiness. */
export class ProbeLoop {
  readonly #port: Pick<KubeletPort, 'now' | 'at' | 'runtime'>
  readonly #container: Container
  readonly #listener: ProbeListener
  readonly #timers = new Map<ProbeKind, Scheduled>()
  #stopped = false

  constructor(port: Pick<KubeletPort, 'now' | 'at' | 'runtime'>, container: Container, listener: ProbeListener) {
    this.#port = port
    this.#container = container
    this.#listener = listener
  }

  /** Begins probing, from the state a container taken over is in. */
  start(state: { readonly started: boolean; readonly ready: boolean }): void {
    const skips = this.#port.runtime.probes === 'skip'
    const { startupProbe } = this.#container
    if (startupProbe !== undefined && !skips && !state.started) this.#schedule('startup', startupProbe)
    else this.#startOthers(state.ready)
  }

  /** Ends probing; results on their way are ignored. */
  stop(): void {
    this.#stopped = true
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
  }

  #startOthers(ready: boolean): void {
    const { livenessProbe, readinessProbe } = this.#container
    const skips = this.#port.runtime.probes === 'skip'
    const unprobed = skips || readinessProbe === undefined
    this.#listener.update({ started: true, ready: unprobed || ready })
    if (skips) return
    if (livenessProbe !== undefined) this.#schedule('liveness', livenessProbe)
    if (readinessProbe !== undefined) this.#schedule('readiness', readinessProbe)
  }

  #schedule(kind: ProbeKind, probe: Probe): void {
    this.#arm(kind, probe, { due: this.#port.now() + probeDelayMs(probe), count: NO_RESULTS })
  }

  #arm(kind: ProbeKind, probe: Probe, next: { readonly due: number; readonly count: ProbeCount }): void {
    const run = (): void => {
      const begun = this.#port.now()
      let answered = false
      this.#port.runtime.probe(this.#listener.pod(), this.#container.name, probe, (ok, detail) => {
        if (answered || this.#stopped) return
        answered = true
        const { count, verdict } = countResult(probe, next.count, ok)
        if (!ok) this.#listener.event(`${TITLES[kind]} probe failed: ${detail}`)
        this.#decide(kind, verdict)
        if (this.#stopped || (kind === 'startup' && verdict === 'success')) return
        const due = Math.max(this.#port.now(), begun + probePeriodMs(probe))
        if (verdict !== 'success' || !this.#stands(kind, probe, { due, count })) this.#arm(kind, probe, { due, count })
      })
    }
    this.#timers.set(kind, this.#port.at(next.due, run))
  }

  /** Lets the runtime keep a probe to itself that would only succeed on and on. */
  #stands(kind: ProbeKind, probe: Probe, next: { readonly due: number; readonly count: ProbeCount }): boolean {
    const end = this.#port.runtime.standing?.(this.#listener.pod(), this.#container.name, probe, {
      dueMs: next.due,
      periodMs: probePeriodMs(probe),
      resume: (due) => this.#arm(kind, probe, { due, count: next.count })
    })
    if (end !== undefined) this.#timers.set(kind, { cancel: end })
    return end !== undefined
  }

  #decide(kind: ProbeKind, verdict: 'undecided' | 'success' | 'failure'): void {
    if (verdict === 'undecided') return
    if (kind === 'readiness') this.#listener.update({ ready: verdict === 'success' })
    else if (verdict === 'failure') this.#listener.failed(kind)
    else if (kind === 'startup') this.#startOthers(false)
  }
}
