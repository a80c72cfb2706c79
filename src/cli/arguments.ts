import { InvalidArgumentError } from 'commander'

/** Reads a whole number of at least `min`. */
export function wholeNumber(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!Number.isSafeInteger(value) || value < min)
      throw new InvalidArgumentError(`expected a whole number of at least ${min}`)
    return value
  }
}

/** Reads the number of a port; 0 stands for any free one. */
export function portNumber(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isInteger(value) || value < 0 || value > 65_535)
    throw new InvalidArgumentError('expected a port between 0 and 65535')
  return value
}

/** Reads a number above zero. */
export function positiveNumber(text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('expected a number above 0')
  return value
}
