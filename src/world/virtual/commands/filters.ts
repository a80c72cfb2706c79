import type { CommandResult } from '../../world.ts'
import { jqPath } from './command-line.ts'

/** `grep` over a text: -q -c -i -v -o -w -x -E -F -e. */
export function grep(words: readonly string[], input: string): CommandResult {
  const letters = new Set<string>()
  const rest: string[] = []
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? ''
    if (word === '-e') rest.push(words[++index] ?? '')
    else if (/^-[a-zA-Z]+$/.test(word)) for (const letter of word.slice(1)) letters.add(letter)
    else rest.push(word)
  }
  const [pattern] = rest
  if (pattern === undefined) return { exitCode: 2, stdout: '', stderr: 'usage: grep [OPTION]... PATTERN\n' }
  const expression = expressionOf(pattern, letters)
  if (expression === undefined) return { exitCode: 2, stdout: '', stderr: 'grep: invalid regular expression\n' }
  const lines = input.split('\n')
  if (lines.at(-1) === '') lines.pop()
  const kept = lines.filter((line) => expression.test(line) !== letters.has('v'))
  const exitCode = kept.length > 0 ? 0 : 1
  if (letters.has('q')) return { exitCode, stdout: '', stderr: '' }
  if (letters.has('c')) return { exitCode, stdout: `${kept.length}\n`, stderr: '' }
  const shown = letters.has('o')
    ? kept.flatMap((line) => line.match(new RegExp(expression, `${expression.flags}g`)) ?? [])
    : kept
  return { exitCode, stdout: shown.map((line) => `${line}\n`).join(''), stderr: '' }
}

/** Basic expressions: `+ ? | ( ) { }` stand for themselves unless escaped; with -E the other way round. */
function expressionOf(pattern: string, letters: ReadonlySet<string>): RegExp | undefined {
  let text = pattern
  if (letters.has('F')) text = pattern.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  else if (!letters.has('E')) {
    text = pattern.replace(/\\?[+?|(){}]/g, (found) => (found.length === 2 ? found.slice(1) : `\\${found}`))
  }
  if (letters.has('w')) text = `\\b(?:${text})\\b`
  if (letters.has('x')) text = `^(?:${text})$`
  try {
    return new RegExp(text, letters.has('i') ? 'i' : '')
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** `jq` with a path for a filter. */
export function jq(words: readonly string[], input: string): CommandResult {
  const asked = jqPath(words)
  if (asked === undefined) return { exitCode: 3, stdout: '', stderr: 'jq: error: this filter is not understood here\n' }
  let value: unknown
  try {
    value = JSON.parse(input)
  } catch (error) {
    const message = error instanceof Error ? error.message : ''
    return { exitCode: 2, stdout: '', stderr: `jq: error (at <stdin>:0): ${message}\n` }
  }
  for (const step of asked.path)
    value = (value as Readonly<Record<string | number, unknown>> | null | undefined)?.[step]
  const found = value ?? null
  const text = asked.raw && typeof found === 'string' ? found : JSON.stringify(found, undefined, 2)
  return { exitCode: asked.strict && (found === null || found === false) ? 1 : 0, stdout: `${text}\n`, stderr: '' }
}
