import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { runScript } from './promql-script.ts'
import type { CaseOutcome, ConformanceSuite } from './suite.ts'

/** A folder of scripts and the engine version whose results they state. */
interface ScriptFolder {
  readonly path: string
  readonly version: 'v2' | 'v3'
}

/** Folders named after a 2.x version are run on the 2.x engine. */
function foldersOf(root: string, version: string | undefined): ScriptFolder[] {
  const candidates = [
    root,
    ...readdirSync(root, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? [join(root, e.name)] : []))
  ]
  return candidates
    .filter((path) => existsSync(path) && readdirSync(path).some((name) => name.endsWith('.test')))
    .map((path) => ({
      path,
      version: version === 'v2' || version === 'v3' ? version : /v?2\./.test(basename(path)) ? 'v2' : 'v3'
    }))
}

/** Scripts of Prometheus' own engine tests; `--engine v2|v3` overrides the version, `--stable true` keeps to stable evals. */
const suite: ConformanceSuite = {
  name: 'promql',
  defaultFolder: 'conformance/promql',
  async *run(folder: string, options: Readonly<Record<string, string>>): AsyncIterable<CaseOutcome> {
    const stable = options['stable'] === undefined ? undefined : stableEvals(folder)
    for (const { path, version } of foldersOf(folder, options['engine'])) {
      for (const name of readdirSync(path).sort()) {
        if (!name.endsWith('.test')) continue
        for (const { line, difference } of runScript(readFileSync(join(path, name), 'utf8'), version)) {
          const id = `${basename(path)}/${name}:${line}`
          if (stable !== undefined && version === 'v3' && !stable.has(`${name}:${line}`)) continue
          yield difference === undefined ? { id, passed: true } : { id, passed: false, firstDifference: difference }
        }
      }
    }
  }
}

interface EvalRecord {
  readonly file: string
  readonly line: number
  readonly stable: boolean
}

function stableEvals(folder: string): Set<string> {
  const records = JSON.parse(readFileSync(join(folder, 'evals.json'), 'utf8')) as EvalRecord[]
  return new Set(records.filter((record) => record.stable).map((record) => `${record.file}:${record.line}`))
}

export { suite }
