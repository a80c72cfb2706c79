import type { Random } from '../../lib/random/index.ts'

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
const LETTER_COUNT = 10
const DIGITS = '0123456789abcdef'
const DIGIT_COUNT = 32

/** Digits of a UUID that a dash stands before. */
const DASHES: ReadonlySet<number> = new Set([8, 12, 16, 20])

/** Result of a `random` effect from a seeded stream. */
export function chance(random: Random, of: 'uuid' | 'letters' | 'fraction'): string | number {
  if (of === 'fraction') return random.next()
  if (of === 'uuid') return uuid(random)
  let letters = ''
  for (let place = 0; place < LETTER_COUNT; place++) letters += LETTERS[random.integer(LETTERS.length)] ?? ''
  return letters
}

function uuid(random: Random): string {
  const digits: string[] = []
  for (let place = 0; place < DIGIT_COUNT; place++) digits.push(DIGITS[random.integer(DIGITS.length)] ?? '')
  digits[12] = '4'
  digits[16] = '89ab'[random.integer(4)] ?? '8'
  let text = ''
  for (let place = 0; place < DIGIT_COUNT; place++) text += `${DASHES.has(place) ? '-' : ''}${digits[place] ?? ''}`
  return text
}
