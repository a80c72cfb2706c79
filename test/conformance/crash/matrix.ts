import type { GoldenCase } from '../golden/case.ts'
import { Drill, type FaultKind, type Injection, type Verdict } from './drill.ts'
import { UndisturbedRun, type EffectKind, type Place, type Segment, type Undisturbed } from './undisturbed.ts'

const WRITE_FAULTS = ['conflict', 'error', 'time-out applied'] as const

/** One cell of the matrix. */
export interface Cell {
  readonly kind: EffectKind
  readonly fault: FaultKind
  tried: number
  survived: number
}

/** A fault that the rollout did not survive. */
export interface Loss {
  readonly injection: Injection
  readonly place: Place
  readonly verdict: Verdict
}

/** Everything that was tried on one case. */
export interface CaseMatrix {
  readonly case: string
  readonly cells: readonly Cell[]
  /** Runs that were made: equal worlds at the moment of death share one. */
  readonly runs: number
  readonly losses: readonly Loss[]
  readonly unlike: readonly string[]
}

/**
 * Disturbs a case at every effect: the controller dies before and after it, and every write meets a conflict, an error
 * and a time-out after which it was applied all the same.
 */
export function crashMatrix(golden: GoldenCase): CaseMatrix {
  const undisturbed = new UndisturbedRun(golden).run()
  return new Matrix(golden, undisturbed).run()
}

class Matrix {
  readonly #golden: GoldenCase
  readonly #undisturbed: Undisturbed
  readonly #drill: Drill
  readonly #cells = new Map<string, Cell>()
  readonly #losses: Loss[] = []
  #runs = 0

  constructor(golden: GoldenCase, undisturbed: Undisturbed) {
    this.#golden = golden
    this.#undisturbed = undisturbed
    this.#drill = new Drill(golden, undisturbed)
  }

  run(): CaseMatrix {
    for (const [index, segment] of this.#undisturbed.segments.entries()) this.#disturb(segment, index)
    return {
      case: this.#golden.id,
      cells: [...this.#cells.values()],
      runs: this.#runs,
      losses: this.#losses,
      unlike: this.#undisturbed.unlike
    }
  }

  #disturb(segment: Segment, index: number): void {
    /** A death leaves nothing but the world: where that is the same, so is what follows. */
    const verdicts = new Map<string, Verdict>()
    const crash = (fault: 'crash before' | 'crash after', place: number, world: string): Verdict => {
      const known = verdicts.get(world)
      if (known !== undefined) return known
      const verdict = this.#try({ segment: index, place, fault })
      verdicts.set(world, verdict)
      return verdict
    }
    for (const [at, place] of segment.places.entries()) {
      for (const fault of ['crash before', 'crash after'] as const) {
        const world = fault === 'crash before' ? place.before : place.after
        this.#count({ segment: index, place: at, fault }, place, crash(fault, at, world))
      }
      if (!place.kind.startsWith('write')) continue
      for (const fault of WRITE_FAULTS) {
        const injection = { segment: index, place: at, fault }
        this.#count(injection, place, this.#try(injection))
      }
    }
  }

  #try(injection: Injection): Verdict {
    this.#runs++
    return this.#drill.run(injection)
  }

  #count(injection: Injection, place: Place, verdict: Verdict): void {
    const { kind } = place
    const key = `${kind} ${injection.fault}`
    const cell = this.#cells.get(key) ?? { kind, fault: injection.fault, tried: 0, survived: 0 }
    this.#cells.set(key, cell)
    cell.tried++
    if (verdict.survived) cell.survived++
    else this.#losses.push({ injection, place, verdict })
  }
}
