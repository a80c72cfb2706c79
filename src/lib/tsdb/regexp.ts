import { keptByText } from '../memory/index.ts'

/** Outcome of {@link compileRegexp}. */
type RegexpOutcome = { readonly ok: true; readonly regexp: RegExp } | { readonly ok: false; readonly error: string }

const PATTERN_LENGTH_MAX = 4096
/** RE2's bound on counted repetition. */
const REPEAT_MAX = 1000
const CACHE_SIZE_MAX = 2000

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
 * Bounds the time of regular expressions from untrusted files: a match that backtracks too often is continued by V8's
 * linear engine. Call it once when the process starts, before any expression is compiled.
 * @param setFlag - `setFlagsFromString` of `node:v8`; a library does not change the process by itself
 */
export function boundRegexpTime(setFlag: (flag: string) => void): void {
  setFlag('--enable-experimental-regexp-engine-on-excessive-backtracks')
  setFlag('--regexp-backtracks-before-fallback=20000')
}

/**
 * Compiles a regular expression of Go's RE2 syntax, anchored at both ends and with `.` matching line feeds, as label
 * matchers and relabel rules use it. Backreferences and look-around, which RE2 lacks, are refused.
 * @param pattern - RE2 text, at most 4096 characters
 * @returns the expression, or Go's error text without its leading `error parsing regexp: `
 * @see Prometheus model/labels/regexp.go, v2.55.1
 */
export function compileRegexp(pattern: string): RegexpOutcome {
  return translated(pattern)
}

const translated = keptByText(CACHE_SIZE_MAX, translate)

function translate(pattern: string): RegexpOutcome {
  if (pattern.length > PATTERN_LENGTH_MAX) return { ok: false, error: 'expression too large' }
  const problem = findProblem(pattern)
  if (problem !== undefined) return { ok: false, error: problem }
  try {
    return { ok: true, regexp: new RegExp(`^(?:${spellCases(rewrite(pattern))})$`, 's') }
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
 * Spells case-insensitive parts out (`(?i)ab` becomes `[aA][bB]`): the linear engine knows no flags within a pattern.
 * The other flags of RE2 change nothing in an anchored match with `.` matching everything.
 */
function spellCases(pattern: string): string {
  if (!/\(\?[a-zA-Z-]+[:)]/.test(pattern)) return pattern
  const insensitive = [false]
  let made = ''
  for (let index = 0; index < pattern.length; index++) {
    const char = pattern[index] ?? ''
    const flags = /^\(\?([imsU]*)(?:-([imsU]+))?([:)])/.exec(pattern.slice(index, index + 16))
    const now = insensitive[insensitive.length - 1] === true
    if (char === '\\') made += char + (pattern[++index] ?? '')
    else if (char === '[') {
      const end = classEnd(pattern, index)
      const body = pattern.slice(index, end + 1)
      made += now ? spellClass(body) : body
      index = end
    } else if (flags !== null) {
      const next = flags[1]?.includes('i') === true ? true : flags[2]?.includes('i') === true ? false : now
      if (flags[3] === ':') {
        insensitive.push(next)
        made += '(?:'
      } else insensitive[insensitive.length - 1] = next
      index += flags[0].length - 1
    } else {
      if (char === '(') insensitive.push(now)
      if (char === ')') insensitive.pop()
      made += now && /[a-zA-Z]/.test(char) ? `[${char.toLowerCase()}${char.toUpperCase()}]` : char
    }
  }
  return made
}

/** A character class with both cases of its letters. */
function spellClass(body: string): string {
  return body.replace(/\\.|([a-zA-Z])-([a-zA-Z])|[a-zA-Z]/g, (part, from?: string, to?: string) => {
    if (part.startsWith('\\')) return part
    if (from === undefined || to === undefined) return part.toLowerCase() + part.toUpperCase()
    return `${from.toLowerCase()}-${to.toLowerCase()}${from.toUpperCase()}-${to.toUpperCase()}`
  })
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
      const counts = /^\{(\d+)(?:,(\d*))?\}/.exec(pattern.slice(index, index + 24))
      if (counts !== null && Math.max(Number(counts[1]), Number(counts[2] ?? 0)) > REPEAT_MAX) {
        return `invalid repeat count: \`${counts[0]}\``
      }
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
