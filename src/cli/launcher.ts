import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Writes a shell script that runs a command of this twin under a name of its own.
 * @param folder - folder of the session (it is removed with it); the script goes into its `bin`
 * @returns the folder to put in front of PATH. A program of that name elsewhere stays as it is.
 */
export function writeLauncher(folder: string, name: string, command: string): string {
  const bin = join(folder, 'bin')
  mkdirSync(bin, { mode: 0o700 })
  const words = [process.execPath, ...process.execArgv, process.argv[1] ?? '', command].map((word) => quoted(word))
  // Known before the process starts, the cache holds its first files too: half of what a start costs.
  const cache = process.env['NODE_COMPILE_CACHE']
  const kept = cache === undefined ? '' : `NODE_COMPILE_CACHE=${quoted(cache)} `
  writeFileSync(join(bin, name), `#!/bin/sh\n${kept}exec ${words.join(' ')} "$@"\n`, { mode: 0o700, flag: 'wx' })
  return bin
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}
