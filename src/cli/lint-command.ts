import { discoverFiles, manifestObstacle, worldLoader } from '../run/index.ts'
import { formatProblem, loadScenarioFile, type LoadedFile } from '../scenario/index.ts'

/** `twin lint`: checks scenario files completely without running them; the API says what it thinks of the manifests. */
export async function lintCommand(files: readonly string[]): Promise<number> {
  const loaded = discoverFiles(files.length === 0 ? ['scenarios'] : files).map((file) => loadScenarioFile(file))
  let invalid = 0
  for (const file of loaded) {
    const found = file.problems.length > 0 ? file.problems.map(formatProblem) : await refusals(file)
    for (const text of new Set(found)) process.stdout.write(`${text}\n`)
    if (found.length > 0) invalid += 1
  }
  process.stdout.write(`${loaded.length - invalid} valid, ${invalid} invalid\n`)
  return invalid === 0 ? 0 : 2
}

async function refusals(file: LoadedFile): Promise<string[]> {
  const createWorld = await worldLoader('virtual')()
  const texts: string[] = []
  for (const scenario of file.cases) {
    const text = await manifestObstacle(scenario, createWorld)
    if (text !== undefined) texts.push(text)
  }
  return texts
}
