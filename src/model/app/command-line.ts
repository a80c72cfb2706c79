import type { AppContainer } from './app.ts'

/** Value of an environment variable of the container. */
export function envOf(container: AppContainer, name: string): string | undefined {
  // The last one wins, as in a container whose environment lists a name twice.
  return container.env.findLast(([key]) => key === name)?.[1]
}

/**
 * The words the process was started with: `command` and `args`, and where those are a shell with a script,
 * the words of the script's last simple command with `$NAME` and `${NAME}` replaced.
 */
export function argvOf(container: AppContainer): readonly string[] {
  const words = [...container.command, ...container.args].map((word) =>
    word.replace(/\$\(([A-Za-z_][A-Za-z0-9_]*)\)/g, (whole, name: string) => envOf(container, name) ?? whole)
  )
  const shell = words[0] ?? ''
  if (!/(^|\/)(sh|bash|ash)$/.test(shell)) return words
  const flag = words.indexOf('-c')
  if (flag === -1) return words
  const argv = shellWords(words[flag + 1] ?? '', (name) => envOf(container, name) ?? '').at(-1) ?? []
  return argv[0] === 'exec' ? argv.slice(1) : argv
}

/**
 * Splits a script into simple commands of words: quotes, escapes, variables, `;`, `&&`, `||`, `|` and line ends.
 * @param variable - value of a variable
 */
export function shellWords(script: string, variable: (name: string) => string): readonly (readonly string[])[] {
  const commands: string[][] = []
  let command: string[] = []
  const token = /(?:(\\\n)|(\n|&&|\|\||[;|&])|((?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s;|&"'\\])+)|[^\S\n]+)/gsy
  for (const found of script.matchAll(token)) {
    if (found[2] !== undefined) {
      if (command.length > 0) commands.push(command)
      command = []
    } else if (found[3] !== undefined) command.push(unquote(found[3], variable))
  }
  if (command.length > 0) commands.push(command)
  return commands
}

function unquote(word: string, variable: (name: string) => string): string {
  const part = /"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)|\$\{([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)|([^"'\\$]+|\$)/gs
  let text = ''
  for (const found of word.matchAll(part)) {
    if (found[1] !== undefined) text += expand(found[1].replace(/\\(["\\$`])/g, '$1'), variable)
    else text += found[2] ?? found[3] ?? found[6] ?? variable(found[4] ?? found[5] ?? '')
  }
  return text
}

function expand(text: string, variable: (name: string) => string): string {
  return text.replace(/\$\{([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)/g, (_whole, braced?: string, plain?: string) =>
    variable(braced ?? plain ?? '')
  )
}

/**
 * Reads flags of Go programs (`-name value`, `--name=value`, `--bool`).
 * @param booleans - names that take no separate value
 * @returns values by name (repeated ones in order) and the words that are no flags
 */
export function parseFlags(
  words: readonly string[],
  booleans: ReadonlySet<string>
): { readonly flags: ReadonlyMap<string, readonly string[]>; readonly rest: readonly string[] } {
  const flags = new Map<string, string[]>()
  const rest: string[] = []
  for (let index = 0; index < words.length; index++) {
    const found = /^--?([A-Za-z][\w-]*)(?:=(.*))?$/s.exec(words[index] ?? '')
    if (found === null) {
      rest.push(words[index] ?? '')
      continue
    }
    const name = found[1] ?? ''
    let value = found[2]
    if (value === undefined) value = booleans.has(name) ? 'true' : (words[++index] ?? '')
    flags.set(name, [...(flags.get(name) ?? []), value])
  }
  return { flags, rest }
}
