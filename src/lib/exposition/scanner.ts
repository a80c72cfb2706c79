/** Text with a read position: takes tokens by sticky regular expressions. */
export class Scanner {
  readonly text: string
  position = 0
  /** The text holds replacement characters that stand for invalid UTF-8 bytes. */
  readonly damaged: boolean

  constructor(text: string, damaged: boolean) {
    this.text = text
    this.damaged = damaged
  }

  /** Whether everything is read. */
  get atEnd(): boolean {
    return this.position >= this.text.length
  }

  /** Takes what a sticky expression matches here; undefined (and nothing taken) when it does not match. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.position
    const match = pattern.exec(this.text)
    if (match === null) return undefined
    this.position = pattern.lastIndex
    return match[0]
  }

  /** Whether a decoded piece came from invalid UTF-8. */
  isInvalid(piece: string): boolean {
    return this.damaged && piece.includes('\uFFFD')
  }

  /** The character here, for messages. */
  get here(): string {
    return this.text.slice(this.position, this.position + 1)
  }
}

/** A body that does not parse; the whole scrape fails with it. */
export class ExpositionError extends Error {}

/**
 * A float in the notation both formats take: decimal, `Inf`, `NaN`; no hexadecimal, no underscores.
 * @throws ExpositionError with Go's text
 * @see Go strconv.ParseFloat; prometheus model/textparse parseFloat, v2.55.1
 */
export function parseFloatText(text: string): number {
  if (/[pP_]/.test(text)) throw new ExpositionError('unsupported character in float')
  if (/^[+-]?inf(?:inity)?$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity
  if (/^nan$/i.test(text)) return Number.NaN
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) {
    throw new ExpositionError(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`)
  }
  const value = Number(text)
  if (!Number.isFinite(value)) {
    throw new ExpositionError(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: value out of range`)
  }
  return value
}
