import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { TwinError } from '../lib/errors/index.ts'
import { decodeTrace, LineFormatter } from '../trace/index.ts'

/** `twin show`: prints a recorded trace in the line format. */
export function showCommand(name: string, flags: Readonly<Record<string, unknown>>): number {
  if (!existsSync(name)) throw new TwinError('TWIN_FILE_MISSING', `no file or folder "${name}"`)
  const path = statSync(name).isDirectory() ? join(name, 'trace.ndjson') : name
  if (!existsSync(path)) throw new TwinError('TWIN_FILE_MISSING', `no trace in "${name}"`)
  const decoded = decodeTrace(readFileSync(path, 'utf8'))
  if (!decoded.ok) throw new TwinError('TWIN_USAGE', `${path}:${decoded.line}: ${decoded.message}`)
  const formatter = new LineFormatter({ verbose: flags['verbose'] === true })
  for (const event of decoded.events) {
    const line = flags['json'] === true ? JSON.stringify(event) : formatter.format(event)
    if (line !== undefined) process.stdout.write(`${line}\n`)
  }
  return 0
}
