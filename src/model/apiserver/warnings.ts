import { badRequestStatus, goQuote } from '../../lib/apimachinery/index.ts'
import type { ResourceCall } from './core.ts'
import { refuse } from './refusal.ts'

/** Warnings of one request, in order, each once; they become `Warning: 299 - "…"` headers. */
export class Warnings {
  #texts: string[] | undefined

  add(text: string): void {
    const texts = (this.#texts ??= [])
    if (!texts.includes(text)) texts.push(text)
  }

  /** Header values. */
  headers(): readonly string[] {
    return this.#texts?.map((text) => `299 - ${goQuote(text)}`) ?? NONE
  }
}

const NONE: readonly string[] = Object.freeze([])

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

/**
 * Warns readers and writers of deprecated kinds and versions.
 * @param call - the request
 * @param warnings - takes the text
 */
export function warnDeprecation(call: ResourceCall, warnings: Warnings): void {
  const { info } = call
  if (info.group === '' && info.resource === 'endpoints') {
    warnings.add('v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice')
  }
  if (info.crd?.deprecated === true) {
    warnings.add(info.crd.deprecationWarning ?? `${info.apiVersion} ${info.kind} is deprecated`)
  }
}
