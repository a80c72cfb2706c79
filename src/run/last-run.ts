import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CaseResult } from './result.ts'

/** What a session leaves for `--last-failed`. */
interface LastRun {
  readonly failed: readonly string[]
}

/** Remembers the cases that did not pass. */
export function saveLastRun(outputFolder: string, results: readonly CaseResult[]): void {
  const failed = results
    .filter((result) => !['passed', 'skipped'].includes(result.outcome))
    .map((result) => result.name)
  mkdirSync(outputFolder, { recursive: true })
  writeFileSync(
    join(outputFolder, 'last-run.json'),
    `${JSON.stringify({ failed: [...new Set(failed)] }, undefined, 2)}\n`
  )
}

/** Names of the cases that did not pass last time; undefined when there was no last time. */
export function readLastFailed(outputFolder: string): readonly string[] | undefined {
  const path = join(outputFolder, 'last-run.json')
  if (!existsSync(path)) return undefined
  try {
    const { failed } = JSON.parse(readFileSync(path, 'utf8')) as LastRun
    return failed
  } catch {
    // A file cut short by an interruption says nothing about the last run.
    return undefined
  }
}
