/** A twin to play in, started as a person starts it: `twin up --speed 30`. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Terminal } from './terminal.ts'

const projectRoot: string = resolve(import.meta.dirname, '..', '..')

/** A running twin and a terminal beside it. */
export interface Up {
  readonly terminal: Terminal
  readonly folder: string
  /** Everything `twin up` has printed. */
  readonly printed: () => string
  close(): Promise<void>
}

/** Starts `twin up` and resolves when it has said what to export; the terminal beside it has done so. */
export async function startUp(speed: number): Promise<Up> {
  const folder = mkdtempSync(join(tmpdir(), 'twin-tutorial-'))
  const child = spawn(process.execPath, [join(projectRoot, 'src', 'cli', 'main.ts'), 'up', '--speed', String(speed)], {
    cwd: folder
  })
  let printed = ''
  const closed = new Promise<number>((done) => child.on('close', (code) => done(code ?? -1)))
  const exported = await new Promise<Readonly<Record<string, string>>>((found, failed) => {
    const collect = (chunk: Buffer): void => {
      printed += chunk.toString('utf8')
      const [, KUBECONFIG] = /^export KUBECONFIG=(\S+)$/m.exec(printed) ?? []
      const [, bin] = /^export PATH=(\S+):\$PATH$/m.exec(printed) ?? []
      if (KUBECONFIG !== undefined && bin !== undefined) found({ KUBECONFIG, PATH: `${bin}:${process.env['PATH']}` })
    }
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    void closed.then((code) => failed(new Error(`twin up ended with ${code}:\n${printed}`)))
  })
  const terminal = new Terminal(folder, exported)
  return {
    terminal,
    folder,
    printed: () => printed,
    close: async () => {
      await terminal.close()
      child.kill('SIGINT')
      await closed
      rmSync(folder, { recursive: true, force: true })
    }
  }
}
