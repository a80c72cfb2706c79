/** Reads a transcribed tutorial and says how each of its commands is typed at the twin. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** One step of a tutorial. */
export interface SeedStep {
  readonly n: number
  readonly kind: 'command' | 'manifest' | 'edit' | 'browser'
  readonly text?: string
  readonly commands?: readonly string[]
  readonly resource?: string
  readonly file?: string
  readonly needs?: readonly string[]
}

const seedsFolder: string = join(
  process.env['TWIN_SHARED'] ?? resolve(import.meta.dirname, '..', '..', '..', 'shared'),
  'conformance',
  'seeds'
)

/** Whether the transcribed tutorials are there. */
export const seedsPresent: boolean = existsSync(seedsFolder)

/** A transcribed tutorial by the first digits of its folder name. */
export class Seed {
  readonly folder: string
  readonly #steps: readonly SeedStep[]

  constructor(number: string) {
    const name = readdirSync(seedsFolder).find((entry) => entry.startsWith(`${number}_`))
    if (name === undefined) throw new Error(`no tutorial ${number} in ${seedsFolder}`)
    this.folder = join(seedsFolder, name)
    const parsed: { steps: SeedStep[] } = JSON.parse(readFileSync(join(this.folder, 'steps.json'), 'utf8'))
    this.#steps = parsed.steps
  }

  step(n: number): SeedStep {
    const found = this.#steps.find((step) => step.n === n)
    if (found === undefined) throw new Error(`no step ${n}`)
    return found
  }

  /** Path of a file beside the tutorial. */
  file(name: string): string {
    return join(this.folder, name)
  }

  /** The command as typed; a resource from the network is replaced by its local copy, nothing else changes. */
  command(n: number, index = 0): string {
    const step = this.step(n)
    const command = step.commands?.[index]
    if (command === undefined) throw new Error(`step ${n} has no command ${index}`)
    if (step.resource === undefined) return command
    return command.replace(/(?:https:\/\/|github\.com\/)\S+/, join(this.folder, step.resource))
  }
}
