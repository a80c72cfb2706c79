import { invalidError, type FieldError } from '../../../lib/apimachinery/index.ts'

/** What is wrong with a value; most are in order, and then nothing is put together for them. */
export type Findings = readonly FieldError[]

/** Nothing is wrong. */
export const NO_ERRORS: Findings = Object.freeze([])

/**
 * Findings one after the other.
 * @param parts - in the order in which they are told
 */
export function joined(...parts: readonly Findings[]): Findings {
  let all: Findings = NO_ERRORS
  for (const part of parts) if (part.length > 0) all = all.length === 0 ? part : [...all, ...part]
  return all
}

/**
 * Findings of each item of a list.
 * @param items - the list
 * @param check - gives the findings of one
 */
export function errorsOfEach<Item>(items: readonly Item[], check: (item: Item, index: number) => Findings): Findings {
  let all: Findings = NO_ERRORS
  for (let index = 0; index < items.length; index++) {
    const found = check(items[index] as Item, index)
    if (found.length > 0) all = joined(all, found)
  }
  return all
}

/**
 * A finding for each problem of a text.
 * @param path - where it is
 * @param value - the text
 * @param problems - what is wrong with it
 */
export function problemErrors(path: string, value: unknown, problems: readonly string[]): Findings {
  return problems.length === 0 ? NO_ERRORS : problems.map((problem) => invalidError(path, value, problem))
}
