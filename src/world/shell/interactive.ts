import { SHELL_NAMES } from './session.ts'
import type { ShellRunOptions, WorldShell } from './ports.ts'

/** Most bytes of one typed line. */
const LINE_BYTES_MAX = 64 * 1024

/** What an interactive shell is connected to. */
export interface InteractiveOptions extends Pick<ShellRunOptions, 'place' | 'env'> {
  /** With a terminal the shell echoes what is typed, shows a prompt and understands ^C and ^D. */
  readonly tty: boolean
  readonly onOutput: (chunk: string, stream: 'stdout' | 'stderr') => void
}

/** A shell somebody types into: `kubectl exec -it pod -- sh`. */
export interface InteractiveShell {
  /** Takes typed (or piped) text. */
  write(chunk: string): void
  /** No more input comes. */
  end(): void
  /** Ends whatever runs. */
  kill(): void
  /** Exit code, once the shell has ended. */
  readonly exited: Promise<number>
}

/** Whether a program is a shell that reads its commands from input. */
export function isInteractiveProgram(argv: readonly string[]): boolean {
  return argv.length === 1 && SHELL_NAMES.has(argv[0]?.split('/').at(-1) ?? '')
}

/** Starts a shell that runs one typed line after the other. */
export function openInteractiveShell(shell: WorldShell, options: InteractiveOptions): InteractiveShell {
  return new TypedShell(shell, options)
}

class TypedShell implements InteractiveShell {
  readonly exited: Promise<number>
  readonly #shell: WorldShell
  readonly #options: InteractiveOptions
  readonly #exit: (code: number) => void
  readonly #lines: string[] = []
  #typed = ''
  #running: AbortController | undefined
  #ended = false
  #lastCode = 0

  constructor(shell: WorldShell, options: InteractiveOptions) {
    const { promise, resolve } = Promise.withResolvers<number>()
    this.exited = promise
    this.#exit = resolve
    this.#shell = shell
    this.#options = options
    this.#prompt()
  }

  write(chunk: string): void {
    for (const character of chunk) this.#key(character)
  }

  end(): void {
    this.#ended = true
    if (this.#typed !== '') this.#enter()
    if (this.#running === undefined && this.#lines.length === 0) this.#exit(this.#lastCode)
  }

  kill(): void {
    this.#lines.length = 0
    this.#ended = true
    if (this.#running === undefined) this.#exit(130)
    else this.#running.abort()
  }

  #key(character: string): void {
    const { tty } = this.#options
    if (tty && character === '\u0003') {
      this.#typed = ''
      this.#echo('^C\r\n')
      if (this.#running === undefined) this.#prompt()
      else this.#running.abort()
    } else if (tty && character === '\u0004') this.end()
    else if (tty && (character === '\u007f' || character === '\b')) {
      if (this.#typed !== '') this.#echo('\b \b')
      this.#typed = this.#typed.slice(0, -1)
    } else if (character === '\n' || (tty && character === '\r')) {
      this.#echo('\r\n')
      this.#enter()
    } else if (this.#typed.length < LINE_BYTES_MAX) {
      this.#typed += character
      this.#echo(character)
    }
  }

  #enter(): void {
    this.#lines.push(this.#typed)
    this.#typed = ''
    if (this.#running === undefined) void this.#runLines()
  }

  async #runLines(): Promise<void> {
    for (let line = this.#lines.shift(); line !== undefined; line = this.#lines.shift()) {
      const exit = /^\s*exit(?:\s+(\d+))?\s*$/.exec(line)
      if (exit !== null) {
        this.#exit(Number(exit[1] ?? this.#lastCode))
        return
      }
      if (line.trim() !== '') await this.#runLine(line)
      if (!this.#ended) this.#prompt()
    }
    if (this.#ended) this.#exit(this.#lastCode)
  }

  async #runLine(line: string): Promise<void> {
    const abort = new AbortController()
    this.#running = abort
    const { place, env } = this.#options
    const outcome = await this.#shell.run(line, {
      place,
      ...(env === undefined ? {} : { env }),
      signal: abort.signal,
      onOutput: (chunk, stream) => this.#print(chunk, stream)
    })
    this.#running = undefined
    this.#lastCode = outcome.exitCode
    this.#print(outcome.stdout, 'stdout')
    this.#print(outcome.stderr, 'stderr')
  }

  #prompt(): void {
    if (this.#options.tty) this.#options.onOutput('/ $ ', 'stdout')
  }

  #echo(text: string): void {
    if (this.#options.tty) this.#options.onOutput(text, 'stdout')
  }

  #print(text: string, stream: 'stdout' | 'stderr'): void {
    if (text === '') return
    const { tty, onOutput } = this.#options
    onOutput(tty ? text.replace(/\r?\n/g, '\r\n') : text, tty ? 'stdout' : stream)
  }
}
