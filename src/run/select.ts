import { TwinError } from '../lib/errors/index.ts'

/** Longest `--grep` pattern. */
const PATTERN_LENGTH_MAX = 200

/** One part of all cases: `index` from 1 to `total`. */
export interface Shard {
  readonly index: number
  readonly total: number
}

/** Reads `2/5`. @throws TwinError TWIN_USAGE when it is none */
export function parseShard(text: string): Shard {
  const match = /^(\d+)\/(\d+)$/.exec(text)
  const index = Number(match?.[1] ?? 0)
  const total = Number(match?.[2] ?? 0)
  if (index < 1 || total < 1 || index > total) {
    throw new TwinError('TWIN_USAGE', `--shard ${text}: expected i/n with 1 ≤ i ≤ n, e.g. 2/5`)
  }
  return { index, total }
}

/** The items of a shard: every total-th one, so that neighbours of like length are spread. */
export function shardOf<T>(items: readonly T[], shard: Shard | undefined): T[] {
  if (shard === undefined) return [...items]
  return items.filter((_, index) => index % shard.total === shard.index - 1)
}

/**
 * A test of names: a regular expression as vitest and Playwright take it.
 * @throws TwinError TWIN_USAGE when it is none or too long
 */
export function namePattern(text: string): RegExp {
  if (text.length > PATTERN_LENGTH_MAX) {
    throw new TwinError('TWIN_USAGE', `--grep: the pattern is longer than ${PATTERN_LENGTH_MAX} characters`)
  }
  try {
    return new RegExp(text, 'i')
  } catch (cause) {
    throw new TwinError('TWIN_USAGE', `--grep: "${text}" is no regular expression`, { cause })
  }
}
