/** A command line of the closed list: programs with their words, the output of each going into the next. */
export type CommandLine =
  | { readonly ok: true; readonly pipe: readonly (readonly string[])[] }
  | { readonly ok: false; readonly obstacle: string }

/** Programs that the virtual world understands. */
const PROGRAMS: ReadonlySet<string> = new Set([
  'kubectl',
  'curl',
  'hey',
  'watch',
  'sleep',
  'grep',
  'jq',
  'echo',
  'true',
  'false'
])

const VERBS: ReadonlySet<string> = new Set(['set', 'patch', 'annotate', 'label', 'scale', 'delete', 'rollout', 'exec'])

/** Reads a command line: words, quotes and pipes. Anything else of a shell is an obstacle. */
export function readCommandLine(text: string): CommandLine {
  const pipe: string[][] = [[]]
  let word: string | undefined
  const close = (): void => {
    if (word !== undefined) pipe.at(-1)?.push(word)
    word = undefined
  }
  const token =
    /\\([\s\S])|'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|(\s+)|(\|\||&&|[|;&<>()`$#*?~{}!])|([^\s\\'"|;&<>()`$#*?~{}!]+)/gy
  let end = 0
  for (const found of text.trim().matchAll(token)) {
    end = found.index + found[0].length
    const [whole, escaped, single, double, space, operator, plain] = found
    if (space !== undefined) close()
    else if (operator === '|') {
      close()
      pipe.push([])
    } else if (
      operator !== undefined &&
      !(word !== undefined && /[#*?~{}!]/.test(operator)) &&
      operator !== '*' &&
      operator !== '?'
    ) {
      return { ok: false, obstacle: `"${operator}" in a command` }
    } else if (double !== undefined) {
      if (/(?<!\\)[$`]/.test(double)) return { ok: false, obstacle: 'a variable or a substitution in a command' }
      word = (word ?? '') + double.replace(/\\(["\\$`])/g, '$1')
    } else word = (word ?? '') + (escaped ?? single ?? plain ?? whole)
  }
  close()
  if (end < text.trim().length) return { ok: false, obstacle: 'a quote that is not closed' }
  return { ok: true, pipe }
}

/** Why the virtual world cannot run a command; undefined: it can. */
export function commandObstacle(text: string): string | undefined {
  const keyword = /^\s*(for|while|until|if|case|function)\b/.exec(text)?.[1]
  if (keyword !== undefined) return `the shell's "${keyword}"`
  const line = readCommandLine(text)
  if (!line.ok) return line.obstacle
  for (const [index, words] of line.pipe.entries()) {
    const obstacle = programObstacle(words, index)
    if (obstacle !== undefined) return obstacle
  }
  return undefined
}

function programObstacle(words: readonly string[], place: number): string | undefined {
  const [program = '', ...rest] = words
  if (!PROGRAMS.has(program)) return `the command "${program}"`
  if (place > 0 && program !== 'grep' && program !== 'jq') return `a pipe into "${program}"`
  if (program === 'watch') {
    const inner = watched(rest)
    return inner === undefined ? 'watch without a command' : commandObstacle(inner.command)
  }
  if (program === 'jq' && jqPath(rest) === undefined) return 'a jq filter that is more than a path'
  if (program === 'kubectl') return kubectlObstacle(rest)
  return undefined
}

function kubectlObstacle(words: readonly string[]): string | undefined {
  const bare = words.filter(
    (word, index) => !word.startsWith('-') && !['-n', '--namespace'].includes(words[index - 1] ?? '')
  )
  const [verb = '', noun = ''] = bare
  if (!VERBS.has(verb) || (verb === 'set' && noun !== 'image') || (verb === 'rollout' && noun !== 'restart')) {
    return `kubectl ${verb}${verb === 'set' || verb === 'rollout' ? ` ${noun}` : ''}`
  }
  if (verb !== 'exec') return undefined
  const dashes = words.indexOf('--')
  return dashes < 0 ? 'kubectl exec without --' : commandObstacle(quoted(words.slice(dashes + 1)))
}

/** Words as a command line that reads as those words. */
export function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
}

/** The command of `watch -n seconds command`. */
export function watched(words: readonly string[]): { readonly everyMs: number; readonly command: string } | undefined {
  let everyMs = 2000
  let index = 0
  for (; words[index]?.startsWith('-') === true; index++) {
    const word = words[index] ?? ''
    const value = /^(?:-n|--interval=?)(.*)$/.exec(word)?.[1]
    if (value === undefined) continue
    everyMs = 1000 * Number(value === '' ? words[++index] : value)
  }
  const rest = words.slice(index)
  if (rest.length === 0 || !(everyMs > 0)) return undefined
  return { everyMs, command: rest.length === 1 ? (rest[0] ?? '') : quoted(rest) }
}

/** The steps of a jq filter that is a path (`.a.b[0]`), with its options; undefined for any other filter. */
export function jqPath(
  words: readonly string[]
): { readonly path: readonly (string | number)[]; readonly raw: boolean; readonly strict: boolean } | undefined {
  const options = words.filter((word) => word.startsWith('-'))
  const [filter = '.', ...more] = words.filter((word) => !word.startsWith('-'))
  if (more.length > 0 || !/^(\.|(\.[A-Za-z_]\w*|\[\d+\]|\.?\["[^"]*"\])+)$/.test(filter)) return undefined
  const path = [...filter.matchAll(/\.([A-Za-z_]\w*)|\[(\d+)\]|\["([^"]*)"\]/g)].map(
    ([, field, index, quotedField]) => field ?? quotedField ?? Number(index)
  )
  const letters = options.join('')
  return { path, raw: letters.includes('r'), strict: letters.includes('e') }
}
