/** What a program's option takes: nothing, a value, or a value that may be given several times. */
export type OptionKind = 'flag' | 'value' | 'list'

/** Options by their name as typed, dashes included; `name` is the key of the outcome. */
export type OptionTable = Readonly<Record<string, { readonly name: string; readonly kind: OptionKind }>>

/** Parsed options. */
export interface ParsedOptions {
  readonly flags: ReadonlySet<string>
  readonly values: ReadonlyMap<string, string>
  readonly lists: ReadonlyMap<string, readonly string[]>
  readonly rest: readonly string[]
}

/** Ways in which {@link parseOptions} can fail. */
export type OptionsProblem = { readonly unknown: string } | { readonly missing: string }

/**
 * Parses a command line the getopt way: `-n 1`, `-n1`, `-sd value` (bundled), `--max-time 1`, `--max-time=1`.
 * @param single - whether `-name` is one long option (Go's flag package) and never a bundle
 */
export function parseOptions(
  args: readonly string[],
  table: OptionTable,
  single: boolean = false
): ParsedOptions | OptionsProblem {
  const flags = new Set<string>()
  const values = new Map<string, string>()
  const lists = new Map<string, string[]>()
  const rest: string[] = []
  const queue = [...args]
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === '--') {
      rest.push(...queue)
      break
    }
    if (!word.startsWith('-') || word === '-') {
      rest.push(word)
      continue
    }
    const split = splitOption(word, table, single)
    const entry = table[split.option]
    if (entry === undefined) return { unknown: split.option }
    if (entry.kind === 'flag') {
      if (split.value !== 'false') flags.add(entry.name)
      if (split.bundle !== undefined) queue.unshift(split.bundle)
      continue
    }
    const value = split.value ?? queue.shift()
    if (value === undefined) return { missing: split.option }
    if (entry.kind === 'value') values.set(entry.name, value)
    else lists.set(entry.name, [...(lists.get(entry.name) ?? []), value])
  }
  return { flags, values, lists, rest }
}

interface Split {
  readonly option: string
  readonly value?: string
  readonly bundle?: string
}

function splitOption(word: string, table: OptionTable, single: boolean): Split {
  const equals = word.indexOf('=')
  const long = word.startsWith('--') || single
  if (long && equals > 0) return { option: word.slice(0, equals), value: word.slice(equals + 1) }
  if (long || table[word] !== undefined) return { option: word }
  const option = word.slice(0, 2)
  const tail = word.slice(2)
  if (tail === '') return { option }
  if (table[option]?.kind === 'flag') return { option, bundle: `-${tail}` }
  return { option, value: tail.startsWith('=') ? tail.slice(1) : tail }
}
