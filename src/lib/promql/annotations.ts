import { formatPosition } from './parse-error.ts'

/** Warnings and infos of one query, each text once. @see Prometheus util/annotations, v2.55.1 */
export class Annotations {
  private readonly query: string
  private readonly warningTexts = new Set<string>()
  private readonly infoTexts = new Set<string>()

  /** @param query - the query, for positions */
  constructor(query: string) {
    this.query = query
  }

  /** Adds a warning about the expression that starts at an offset. */
  warn(text: string, start: number): void {
    this.warningTexts.add(`PromQL warning: ${text} (${formatPosition(this.query, start)})`)
  }

  /** Adds an info about the expression that starts at an offset. */
  info(text: string, start: number): void {
    this.infoTexts.add(`PromQL info: ${text} (${formatPosition(this.query, start)})`)
  }

  /** Texts of the warnings in the order they came up. */
  get warnings(): string[] {
    return [...this.warningTexts]
  }

  /** Texts of the infos in the order they came up. */
  get infos(): string[] {
    return [...this.infoTexts]
  }
}
