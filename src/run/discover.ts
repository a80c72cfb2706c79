import { existsSync, readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { TwinError } from '../lib/errors/index.ts'
import { displayPath, isScenarioFile, nearestWord } from '../scenario/index.ts'

/** Most files looked at below a folder. */
const FILES_MAX = 10_000

/**
 * Scenario files among the named files and folders, each once, sorted within a folder.
 * A folder is searched for YAML documents of `apiVersion: twin/*`; a file that is named is taken as it is.
 * @throws TwinError TWIN_FILE_MISSING when a name does not exist
 */
export function discoverFiles(names: readonly string[]): string[] {
  const found = names.flatMap((name) => {
    const path = resolve(name)
    if (!existsSync(path)) throw missing(name, path)
    return statSync(path).isDirectory() ? scenarioFiles(path) : [path]
  })
  return [...new Set(found)]
}

function scenarioFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.ya?ml$/.test(name) && !name.includes('node_modules'))
    .slice(0, FILES_MAX)
    .toSorted()
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile() && isScenarioFile(path))
}

function missing(name: string, path: string): TwinError {
  const folder = resolve(path, '..')
  const siblings = existsSync(folder) ? readdirSync(folder) : []
  const near = nearestWord(path.slice(folder.length + 1), siblings)
  const fix =
    near === undefined ? 'name a scenario file or a folder of them' : `did you mean ${displayPath(join(folder, near))}?`
  return new TwinError('TWIN_FILE_MISSING', `no file or folder "${name}"; ${fix}`)
}
