/** Outcome of {@link compileRegexp}. */
export type RegexpOutcome =
  | { readonly ok: true; readonly regexp: RegExp }
  | { readonly ok: false; readonly error: string }

const PATTERN_LENGTH_MAX = 4096
const CACHE_SIZE_MAX = 2000
const cache = new Map<string, RegexpOutcome>()

const POSIX_CLASSES: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7F',
  blank: '\\t ',
  cntrl: '\\x00-\\x1F\\x7F',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f'
}

/**
 * Compiles a regular expression of Go's RE2 syntax, anchored at both ends and with `.` matching line feeds, as label
 * matchers and relabel rules use it. Backreferences and look-around, which RE2 lacks, are refused.
 * @param pattern - RE2 text, at most 4096 characters
 * @returns the expression, or Go's error text without its leading `error parsing regexp: `
 * @see Prometheus model/labels/regexp.go, v2.55.1
 */
export function compileRegexp(pattern: string): RegexpOutcome {
  const known = cache.get(pattern)
  if (known !== undefined) return known
  const outcome = translate(pattern)
  if (cache.size >= CACHE_SIZE_MAX) cache.clear()
  cache.set(pattern, outcome)
  return outcome
}

function translate(pattern: string): RegexpOutcome {
  if (pattern.length > PATTERN_LENGTH_MAX) return { ok: false, error: 'expression too large' }
  const problem = findProblem(pattern)
  if (problem !== undefined) return { ok: false, error: problem }
  try {
    return { ok: true, regexp: new RegExp(`^(?:${scopeFlags(rewrite(pattern))})$`, 's') }
  } catch {
    return { ok: false, error: `invalid regular expression: \`${pattern}\`` }
  }
}

/** Rewrites what RE2 spells differently: POSIX classes, named groups, `\A`, `\z`, `\Q…\E`. */
function rewrite(pattern: string): string {
  return pattern
    .replace(/\\Q(.*?)(?:\\E|$)/gs, (_, text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'))
    .replace(/\[:(\^?)([a-z]+):\]/g, (whole, _negated: string, name: string) => POSIX_CLASSES[name] ?? whole)
    .replace(/\(\?P</g, '(?<')
    .replace(/\\A/g, '^')
    .replace(/\\z/g, '$')
}

/**
 * Turns `(?i)` into `(?i:…)` up to the end of its group, branch by branch, since JavaScript scopes flags only by group.
 */
function scopeFlags(pattern: string): string {
  if (!/\(\?[imsU]+\)/.test(pattern)) return pattern
  const open: string[][] = [[]]
  let made = ''
  for (let index = 0; index < pattern.length; index++) {
    const char = pattern[index] ?? ''
    const flags = /^\(\?([ims]+)\)/.exec(pattern.slice(index, index + 8))
    const scopes = open[open.length - 1] ?? []
    if (char === '\\') made += char + (pattern[++index] ?? '')
    else if (char === '[') {
      const end = classEnd(pattern, index)
      made += pattern.slice(index, end + 1)
      index = end
    } else if (flags !== null) {
      scopes.push(`(?${flags[1]}:`)
      made += `(?${flags[1]}:`
      index += flags[0].length - 1
    } else if (char === '|') made += `${')'.repeat(scopes.length)}|${scopes.join('')}`
    else if (char === ')') made += ')'.repeat((open.pop() ?? []).length + 1)
    else {
      if (char === '(') open.push([])
      made += char
    }
  }
  return made + ')'.repeat(open[0]?.length ?? 0)
}

/** Finds the first thing Go's parser refuses; undefined when there is none. */
function findProblem(pattern: string): string | undefined {
  let depth = 0
  let repeatable = false
  for (let index = 0; index < pattern.length; index++) {
    const char = pattern[index] ?? ''
    if (char === '\\') {
      const next = pattern[index + 1]
      if (next === undefined) return 'trailing backslash at end of expression: ``'
      if (/[1-9]/.test(next)) return `invalid escape sequence: \`\\${next}\``
      index++
      repeatable = true
    } else if (char === '[') {
      const end = classEnd(pattern, index)
      if (end < 0) return `missing closing ]: \`${pattern.slice(index)}\``
      index = end
      repeatable = true
    } else if (char === '(') {
      depth++
      if (/^\(\?[=!<][^A-Za-z]/.test(pattern.slice(index)) || /^\(\?[=!]/.test(pattern.slice(index))) {
        return `invalid or unsupported Perl syntax: \`${pattern.slice(index, index + 3)}\``
      }
      if (pattern[index + 1] === '?') index += 1
      repeatable = false
    } else if (char === ')') {
      depth--
      if (depth < 0) return `unexpected ): \`${pattern}\``
      repeatable = true
    } else if (char === '*' || char === '+' || char === '?') {
      if (!repeatable) return `missing argument to repetition operator: \`${char}\``
      const following = pattern[index + 1]
      if (following === '?') index++
      const second = pattern[index + 1]
      if (second === '*' || second === '+' || (second === '?' && following === '?')) {
        return `invalid nested repetition operator: \`${pattern.slice(index, index + 2)}\``
      }
    } else {
      repeatable = char !== '|' && char !== '^'
    }
  }
  return depth > 0 ? `missing closing ): \`${pattern}\`` : undefined
}

function classEnd(pattern: string, start: number): number {
  let index = start + 1
  if (pattern[index] === '^') index++
  if (pattern[index] === ']') index++
  for (; index < pattern.length; index++) {
    if (pattern[index] === '\\') index++
    else if (pattern.startsWith('[:', index)) index = Math.max(index, pattern.indexOf(':]', index) + 1)
    else if (pattern[index] === ']') return index
  }
  return -1
}
