import { spawn, type ChildProcess } from 'node:child_process'

/** What a command printed and how it ended. */
export interface CommandOutput {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
}

/** Where and with what environment commands run. */
export interface ProcessPlace {
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
}

const COMMAND_MS_MAX = 90_000

/** Runs a command line in `sh` and waits for its end. */
export function runCommand(command: string, place: ProcessPlace): Promise<CommandOutput> {
  return new Promise((resolve) => {
    const child = spawn('sh', ['-c', command], {
      cwd: place.folder,
      env: { ...place.env },
      stdio: ['ignore', 'pipe', 'pipe']
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk))
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
    const timer = setTimeout(() => child.kill('SIGKILL'), COMMAND_MS_MAX)
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ exit: code ?? 137, stdout, stderr })
    })
  })
}

/** A command that runs in the background. */
export class BackgroundCommand {
  readonly #child: ChildProcess
  #stdout = ''
  #ended = false

  constructor(command: string, place: ProcessPlace) {
    this.#child = spawn('sh', ['-c', `exec ${command}`], {
      cwd: place.folder,
      env: { ...place.env },
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true
    })
    this.#child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (this.#stdout += chunk))
    this.#child.on('close', () => (this.#ended = true))
  }

  /** Waits until it has printed so many lines or ended, then interrupts it. */
  async stop(lines: number): Promise<string> {
    const deadline = performance.now() + 20_000
    while (!this.#ended && this.#lines() < lines && performance.now() < deadline) await pause(50)
    await pause(300)
    this.kill()
    return this.#stdout
  }

  kill(): void {
    if (this.#ended || this.#child.pid === undefined) return
    try {
      process.kill(-this.#child.pid, 'SIGINT')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }

  #lines(): number {
    return this.#stdout.split('\n').length - 1
  }
}

/** Waits so many wall milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
