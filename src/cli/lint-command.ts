import { discoverFiles } from '../run/index.ts'
import { formatProblem, loadScenarioFile } from '../scenario/index.ts'

/** `twin lint`: checks scenario files completely without running them. */
export function lintCommand(files: readonly string[]): number {
  const loaded = discoverFiles(files.length === 0 ? ['scenarios'] : files).map((file) => loadScenarioFile(file))
  for (const { problems } of loaded) {
    for (const problem of problems) process.stdout.write(`${formatProblem(problem)}\n`)
  }
  const invalid = loaded.filter((file) => file.problems.length > 0).length
  process.stdout.write(`${loaded.length - invalid} valid, ${invalid} invalid\n`)
  return invalid === 0 ? 0 : 2
}
