/**
 * A person's terminal for the tutorials: a shell in an empty folder with what `twin up` says to export. Follow commands run in the
 * background until what they should show has appeared; all of them are ended by their own process group.
 */
import { type ChildProcess, spawn } from 'node:child_process'

/** What a finished command gave back. */
export interface Typed {
  readonly exitCode: number
  readonly output: string
}

/** A command that runs until it is stopped. */
export interface Following {
  /** Resolves with the output once it contains the text. @throws Error with the output so far after `timeoutMs`. */
  until(text: string | RegExp, timeoutMs?: number): Promise<string>
  /** Types a line into it. */
  write(line: string): void
  readonly output: () => string
  stop(): Promise<void>
}

/** A terminal in `folder` with those variables; without a display, so that no program opens a window. */
export class Terminal {
  readonly #folder: string
  readonly #environment: NodeJS.ProcessEnv
  readonly #running = new Set<Following>()

  constructor(folder: string, exported: Readonly<Record<string, string>>) {
    this.#folder = folder
    const { DISPLAY: _x, WAYLAND_DISPLAY: _wayland, ...inherited } = process.env
    this.#environment = { ...inherited, ...exported, TERM: 'xterm', COLUMNS: '200', LINES: '50' }
  }

  /** Types a command and waits for its end. */
  type(command: string, timeoutMs = 150_000): Promise<Typed> {
    return new Promise((resolve, reject) => {
      const child = this.#spawn(command)
      let output = ''
      const collect = (chunk: Buffer): void => {
        output += chunk.toString('utf8')
      }
      child.stdout?.on('data', collect)
      child.stderr?.on('data', collect)
      child.stdin?.end()
      const timer = setTimeout(() => {
        endGroup(child)
        reject(new Error(`\`${command}\` did not end within ${timeoutMs} ms; it printed:\n${output}`))
      }, timeoutMs)
      child.on('error', reject)
      child.on('close', (code) => {
        clearTimeout(timer)
        resolve({ exitCode: code ?? -1, output })
      })
    })
  }

  /** Types a command that goes on by itself (`--watch`, `port-forward`, `watch …`). */
  follow(command: string): Following {
    const child = this.#spawn(command, ['stdbuf', '-oL'])
    const following = followChild(child, command)
    this.#running.add(following)
    return following
  }

  /** Ends whatever still runs. */
  async close(): Promise<void> {
    await Promise.all([...this.#running].map((one) => one.stop()))
  }

  /** `prefix` gives programs that buffer what they write into a pipe (jq) the line buffering a terminal gives them. */
  #spawn(command: string, prefix: readonly string[] = []): ChildProcess {
    const [program = 'sh', ...words] = [...prefix, 'sh', '-c', command]
    return spawn(program, words, { cwd: this.#folder, env: this.#environment, detached: true })
  }
}

function followChild(child: ChildProcess, command: string): Following {
  let output = ''
  let ended = false
  const listeners = new Set<() => void>()
  const wake = (): void => {
    for (const listener of listeners) listener()
  }
  const collect = (chunk: Buffer): void => {
    output += chunk.toString('utf8')
    wake()
  }
  child.stdout?.on('data', collect)
  child.stderr?.on('data', collect)
  const closed = new Promise<void>((resolve) => {
    child.on('close', () => {
      ended = true
      wake()
      resolve()
    })
  })
  const shows = (text: string | RegExp): boolean =>
    typeof text === 'string' ? output.includes(text) : text.test(output)
  return {
    output: () => output,
    write: (line) => child.stdin?.write(`${line}\n`),
    until: (text, timeoutMs = 150_000) =>
      new Promise((resolve, reject) => {
        const finish = (error?: Error): void => {
          listeners.delete(check)
          clearTimeout(timer)
          if (error === undefined) resolve(output)
          else reject(error)
        }
        const check = (): void => {
          if (shows(text)) finish()
          else if (ended) finish(new Error(`\`${command}\` ended without showing ${String(text)}:\n${output}`))
        }
        const timer = setTimeout(
          () => finish(new Error(`\`${command}\` did not show ${String(text)} in ${timeoutMs} ms:\n${output}`)),
          timeoutMs
        )
        listeners.add(check)
        check()
      }),
    stop: async () => {
      endGroup(child)
      await closed
    }
  }
}

/** Ends a command with everything it started: the shell leads a process group of its own. */
function endGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null) return
  try {
    process.kill(-child.pid, 'SIGTERM')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
