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

/** Starts `twin up` and resolves when it has said where its kubeconfig is. */
export async function startUp(speed: number): Promise<Up> {
  const folder = mkdtempSync(join(tmpdir(), 'twin-tutorial-'))
  const child = spawn(process.execPath, [join(projectRoot, 'src', 'cli', 'main.ts'), 'up', '--speed', String(speed)], {
    cwd: folder
  })
  let printed = ''
  const closed = new Promise<number>((done) => child.on('close', (code) => done(code ?? -1)))
  const kubeconfig = await new Promise<string>((found, failed) => {
    const collect = (chunk: Buffer): void => {
      printed += chunk.toString('utf8')
      const path = /(\/\S*kubeconfig\S*)/i.exec(printed)?.[1]
      if (path !== undefined) found(path)
    }
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    void closed.then((code) => failed(new Error(`twin up ended with ${code}:\n${printed}`)))
  })
  const terminal = new Terminal(folder, kubeconfig)
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
