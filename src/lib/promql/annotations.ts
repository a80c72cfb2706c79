import { formatPosition } from './parse-error.ts'

/** Warnings and infos of one query, each text once. @see Prometheus util/annotations, v2.55.1 */
export class Annotations {
  private readonly query: string
  private warningTexts: Set<string> | undefined
  private infoTexts: Set<string> | undefined

  /** @param query - the query, for positions */
  constructor(query: string) {
    this.query = query
    this.warningTexts = undefined
    this.infoTexts = undefined
  }

  /** Adds a warning about the expression that starts at an offset. */
  warn(text: string, start: number): void {
    this.warningTexts ??= new Set<string>()
    this.warningTexts.add(`PromQL warning: ${text} (${formatPosition(this.query, start)})`)
  }

  /** Adds an info about the expression that starts at an offset. */
  info(text: string, start: number): void {
    this.infoTexts ??= new Set<string>()
    this.infoTexts.add(`PromQL info: ${text} (${formatPosition(this.query, start)})`)
  }

  /** Texts of the warnings in the order they came up. */
  get warnings(): string[] {
    return this.warningTexts === undefined ? [] : [...this.warningTexts]
  }

  /** Texts of the infos in the order they came up. */
  get infos(): string[] {
    return this.infoTexts === undefined ? [] : [...this.infoTexts]
  }
}
