import type { LabelRecord } from './relabel.ts'

/** Lists of label names by their text: rows of one list find what was made for it before. */
const nameLists = new Map<string, NameList>()

/** Most of them that are kept. */
const NAME_LISTS_MAX = 500

/** Names of labels in the order in which they were found, each once. */
export class NameList {
  readonly names: readonly string[]

  private constructor(names: readonly string[]) {
    this.names = names
  }

  /** One object for equal lists. @param names - each once */
  static of(names: readonly string[]): NameList {
    const key = names.join('\n')
    const known = nameLists.get(key) ?? new NameList(names)
    if (nameLists.size >= NAME_LISTS_MAX) nameLists.clear()
    nameLists.set(key, known)
    return known
  }
}

/** Labels as discovery gives them: values beside a list of names that many rows share. */
export class LabelRow {
  readonly list: NameList
  readonly values: readonly string[]
  #gaps: string | undefined

  constructor(list: NameList, values: readonly string[]) {
    this.list = list
    this.values = values
    this.#gaps = undefined
  }

  static of(record: LabelRecord): LabelRow {
    return new LabelRow(NameList.of(Object.keys(record)), Object.values(record))
  }

  /** A text that is equal for rows whose empty values are at the same places. */
  get gaps(): string {
    if (this.#gaps === undefined) {
      let gaps = ''
      this.values.forEach((value, index) => {
        if (value === '') gaps += `${index} `
      })
      this.#gaps = gaps
    }
    return this.#gaps
  }

  toRecord(): LabelRecord {
    const record: Record<string, string> = {}
    this.list.names.forEach((name, index) => {
      record[name] = this.values[index] ?? ''
    })
    return record
  }
}
