/**
 * Runs recorded material against the twin: `npm run conformance -- <suite> [folder] [--key value]`.
 * Without a suite, all of them run over the shared folder and one table is printed.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { keepCompiledCode } from '../src/cli/compile-cache.ts'
import type { ConformanceSuite } from '../test/conformance/suite.ts'

// As the command does: otherwise the first pass over everything is mostly compiling.
keepCompiledCode()

const projectRoot: string = resolve(import.meta.dirname, '..')
const sharedRoot: string = process.env['TWIN_SHARED'] ?? resolve(projectRoot, '..', 'shared')
const suiteFolder: string = join(projectRoot, 'test', 'conformance')

interface Totals {
  readonly suite: string
  readonly passed: number
  readonly failed: number
  readonly seconds: number
}

interface Arguments {
  readonly words: readonly string[]
  readonly options: Readonly<Record<string, string>>
}

function parseArguments(argv: readonly string[]): Arguments {
  const words: string[] = []
  const options: Record<string, string> = {}
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? ''
    if (!word.startsWith('--')) words.push(word)
    else if (word.includes('=')) options[word.slice(2, word.indexOf('='))] = word.slice(word.indexOf('=') + 1)
    else options[word.slice(2)] = argv[++index] ?? ''
  }
  return { words, options }
}

function suiteNames(): string[] {
  return readdirSync(suiteFolder)
    .filter((file) => file.endsWith('.suite.ts'))
    .map((file) => file.slice(0, -'.suite.ts'.length))
    .toSorted()
}

async function loadSuite(name: string): Promise<ConformanceSuite> {
  const module: { suite: ConformanceSuite } = await import(pathToFileURL(join(suiteFolder, `${name}.suite.ts`)).href)
  return module.suite
}

async function runSuite(
  suite: ConformanceSuite,
  folder: string,
  options: Arguments['options'],
  showFailures: boolean
): Promise<Totals> {
  const start = performance.now()
  let passed = 0
  let failed = 0
  for await (const outcome of suite.run(folder, options)) {
    if (outcome.passed) {
      passed++
      continue
    }
    failed++
    if (showFailures) console.log(`FAIL ${outcome.id}\n${indent(outcome.firstDifference ?? 'no difference given')}`)
  }
  return { suite: suite.name, passed, failed, seconds: (performance.now() - start) / 1000 }
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '    ')
}

/** One suite: every failing case with its first difference, then the closing line. */
async function runOne(name: string, folder: string | undefined, options: Arguments['options']): Promise<number> {
  if (!suiteNames().includes(name)) {
    console.error(`conformance: no suite \`${name}\`; there are: ${suiteNames().join(', ')}`)
    return 2
  }
  const suite = await loadSuite(name)
  const path = resolve(folder ?? join(sharedRoot, suite.defaultFolder))
  if (!existsSync(path)) {
    console.error(`conformance: SKIPPED suite ${name}: no folder ${path}; name one, or set TWIN_SHARED`)
    return 2
  }
  const totals = await runSuite(suite, path, options, true)
  console.log(`${totals.passed} passed, ${totals.failed} failed`)
  return totals.failed === 0 ? 0 : 1
}

/** All suites over the shared folder, one table. */
async function runAll(options: Arguments['options']): Promise<number> {
  const rows: Totals[] = []
  let skipped = 0
  for (const name of suiteNames()) {
    const suite = await loadSuite(name)
    const folder = join(sharedRoot, suite.defaultFolder)
    if (!existsSync(folder)) {
      skipped++
      console.error(`conformance: SKIPPED suite ${name}: no folder ${folder}`)
      continue
    }
    rows.push(await runSuite(suite, folder, options, false))
  }
  printTable(rows)
  if (skipped > 0) console.error(`conformance: ${skipped} suites SKIPPED for want of their folder`)
  const passed = rows.reduce((sum, row) => sum + row.passed, 0)
  const failed = rows.reduce((sum, row) => sum + row.failed, 0)
  console.log(`${passed} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}

function printTable(rows: readonly Totals[]): void {
  console.log('| suite | passed | failed | share | seconds |')
  console.log('|---|---:|---:|---:|---:|')
  for (const row of rows) {
    const share = (100 * row.passed) / Math.max(1, row.passed + row.failed)
    console.log(`| ${row.suite} | ${row.passed} | ${row.failed} | ${share.toFixed(1)} % | ${row.seconds.toFixed(1)} |`)
  }
}

const { words, options } = parseArguments(process.argv.slice(2))
const [name, folder] = words
// Runners may leave servers of a broken case behind; the process ends with its verdict all the same.
process.exit(name === undefined ? await runAll(options) : await runOne(name, folder, options))
