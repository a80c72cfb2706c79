import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** A kubeconfig on disk for clients outside the process. */
export interface KubeconfigFile {
  readonly path: string
  remove(): void
}

/** Writes a kubeconfig that only its owner can read, in a folder of its own that does not outlive the process. */
export function writeKubeconfig(text: string): KubeconfigFile {
  const folder = mkdtempSync(path.join(tmpdir(), 'rollout-twin-'))
  const file = path.join(folder, 'kubeconfig')
  writeFileSync(file, text, { mode: 0o600 })
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  // A process that is ended while its world starts stops no world.
  process.once('exit', remove)
  return {
    path: file,
    remove: () => {
      process.off('exit', remove)
      remove()
    }
  }
}
