import type { LoadSpec } from '../../kinds/index.ts'
import { meshIdentity } from '../../model/mesh/index.ts'
import type { TraceBody } from '../../trace/index.ts'
import { versionOfImage } from '../joint/index.ts'
import type { LoadTotals } from '../world.ts'
import type { Answers } from './batch.ts'
import { requestClass } from './request-kinds.ts'
import { openSchedule } from './schedules.ts'
import type { Traffic } from './traffic.ts'
import type { VirtualTime } from './virtual-time.ts'

interface Counts {
  intended: number
  failed: number
  readonly byVersion: Record<string, number>
}

const newCounts = (): Counts => ({ intended: 0, failed: 0, byVersion: {} })

/** One load of the scenario: its stream and what has become of it, in all and during the current step of the weights. */
export class OpenLoad {
  readonly #spec: LoadSpec
  readonly #record: (body: TraceBody) => void
  readonly #total = newCounts()
  #step = newCounts()
  #weightPercent = 0

  constructor(
    spec: LoadSpec,
    world: { readonly time: VirtualTime; readonly traffic: Traffic; readonly seed: number },
    record: (body: TraceBody) => void
  ) {
    this.#spec = spec
    this.#record = record
    const { time, traffic, seed } = world
    const headers = Object.fromEntries(
      Object.entries(spec.headers).map(([name, value]): [string, string] => [name.toLowerCase(), value])
    )
    const { namespace, name, method, timeoutMs } = spec
    traffic.add({
      client: { key: `${namespace}/${name}`, namespace, identity: meshIdentity('default', namespace) },
      request: requestClass({ method, url: new URL(spec.to), headers, body: spec.body ?? '' }),
      schedule: openSchedule(spec, seed, time.start),
      timeoutMs,
      onSent: (count) => {
        this.#total.intended += count
        this.#step.intended += count
      },
      onAnswers: (answers) => {
        addAnswers(this.#total, answers)
        addAnswers(this.#step, answers)
      }
    })
  }

  /** Closes the current step of the weights with a `load` event and opens the next. */
  changeWeight(weightPercent: number): void {
    if (weightPercent === this.#weightPercent) return
    this.closeStep()
    this.#weightPercent = weightPercent
  }

  /** Closes the current step. */
  closeStep(): void {
    const { intended, failed, byVersion } = this.#step
    this.#step = newCounts()
    if (intended === 0 && failed === 0) return
    const { name: load } = this.#spec
    const weightPercent = this.#weightPercent
    this.#record({ kind: 'load', load, weightPercent, intended, delivered: intended, failed, byVersion })
  }

  totals(): LoadTotals {
    const { intended, failed, byVersion } = this.#total
    return { load: this.#spec.name, intended, delivered: intended, failed, byVersion: { ...byVersion } }
  }
}

function addAnswers(counts: Counts, { count, status, image }: Answers): void {
  if (status === undefined || status >= 500) counts.failed += count
  if (status === undefined || image === undefined) return
  const version = versionOfImage(image)
  counts.byVersion[version] = (counts.byVersion[version] ?? 0) + count
}
