import type { Random } from '../../lib/random/index.ts'

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
const LETTER_COUNT = 10

/** Result of a `random` effect from a seeded stream. */
export function chance(random: Random, of: 'uuid' | 'letters' | 'fraction'): string | number {
  if (of === 'fraction') return random.next()
  if (of === 'letters')
    return Array.from({ length: LETTER_COUNT }, () => LETTERS[random.integer(LETTERS.length)]).join('')
  const digits = Array.from({ length: 32 }, () => random.integer(16).toString(16))
  digits[12] = '4'
  digits[16] = '89ab'[random.integer(4)] ?? '8'
  const part = (from: number, to: number): string => digits.slice(from, to).join('')
  return [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join('-')
}
