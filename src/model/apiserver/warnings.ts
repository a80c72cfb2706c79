import { badRequestStatus, goQuote } from '../../lib/apimachinery/index.ts'
import { refuse } from './refusal.ts'

/** Warnings of one request, in order, each once; they become `Warning: 299 - "…"` headers. */
export class Warnings {
  readonly #texts: string[] = []

  add(text: string): void {
    if (!this.#texts.includes(text)) this.#texts.push(text)
  }

  /** Header values. */
  headers(): readonly string[] {
    return this.#texts.map((text) => `299 - ${goQuote(text)}`)
  }
}

const MAX_STRICT = 100

/**
 * Deals with what a strict decoder found, as `fieldValidation` says: `Ignore`, `Warn` (default) or `Strict`.
 * @param strict - strict errors
 * @param mode - query parameter
 * @param warnings - takes them in mode Warn
 * @param subject - how the refusal starts, e.g. `Deployment in version "v1" cannot be handled as a Deployment`
 */
export function reportStrictErrors(
  strict: readonly string[],
  mode: string | undefined,
  warnings: Warnings,
  subject: string
): void {
  if (strict.length === 0 || mode === 'Ignore') return
  if (mode === 'Strict')
    refuse(badRequestStatus(`${subject}: strict decoding error: ${strict.slice(0, MAX_STRICT).join(', ')}`))
  for (const text of strict.slice(0, MAX_STRICT)) warnings.add(text)
}
