import { TwinError } from '../errors/index.ts'
import type { Labels } from './labels.ts'
import { compileRegexp } from './regexp.ts'

/** How a matcher compares: equal, not equal, matches, does not match. */
export type MatchOperator = '=' | '!=' | '=~' | '!~'

/** A condition on one label; an absent label counts as empty text. */
export class Matcher {
  readonly name: string
  readonly operator: MatchOperator
  readonly value: string
  private readonly regexp: RegExp | undefined
  /** Value last tested, and its verdict: neighbouring series mostly share values. */
  private tested: string | undefined
  private verdict = false

  /**
   * @param name - label name
   * @param operator - comparison
   * @param value - text or anchored RE2 pattern
   * @throws TwinError TWIN_INTERNAL for an invalid pattern; check it with `compileRegexp` before
   */
  constructor(name: string, operator: MatchOperator, value: string) {
    this.name = name
    this.operator = operator
    this.value = value
    this.regexp = undefined
    this.tested = undefined
    if (operator === '=~' || operator === '!~') {
      const outcome = compileRegexp(value)
      if (!outcome.ok) throw new TwinError('TWIN_INTERNAL', `error parsing regexp: ${outcome.error}`)
      this.regexp = outcome.regexp
    }
  }

  /** Whether a label value passes. */
  matches(value: string): boolean {
    switch (this.operator) {
      case '=':
        return value === this.value
      case '!=':
        return value !== this.value
      case '=~':
        return this.test(value)
      case '!~':
        return !this.test(value)
    }
  }

  /** Whether the label set passes. */
  matchesLabels(labels: Labels): boolean {
    return this.matches(labels.get(this.name))
  }

  private test(value: string): boolean {
    if (value !== this.tested) {
      this.verdict = this.regexp?.test(value) === true
      this.tested = value
    }
    return this.verdict
  }

  /** PromQL notation: `job=~"a.*"`. */
  toString(): string {
    return `${this.name}${this.operator}${JSON.stringify(this.value)}`
  }
}
