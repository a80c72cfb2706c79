/** The one gate: types, lint, format, dead code, package shape and the tidy rules, side by side where they can be. */
import { execa } from 'execa'

interface Step {
  readonly name: string
  readonly command: string
  readonly arguments: readonly string[]
}

const PARALLEL: readonly Step[] = [
  { name: 'types', command: 'tsc', arguments: ['--noEmit', '-p', '.'] },
  {
    name: 'lint',
    command: 'oxlint',
    arguments: ['--type-aware', '--deny-warnings', 'src', 'scripts', 'test']
  },
  { name: 'format', command: 'oxfmt', arguments: ['--check', 'src', 'scripts', 'test'] },
  { name: 'dead code', command: 'knip', arguments: ['--no-progress'] }
]

/** These read what the build writes, so they come after it. */
const SEQUENTIAL: readonly Step[] = [
  { name: 'tidy', command: 'vitest', arguments: ['run', '--config', 'test/vitest.config.ts', 'test/tidy.test.ts'] },
  { name: 'build', command: 'node', arguments: ['scripts/build.ts'] },
  { name: 'package', command: 'publint', arguments: ['--strict'] }
]

async function runStep(step: Step): Promise<boolean> {
  const result = await execa(step.command, step.arguments, { preferLocal: true, reject: false, all: true })
  const passed = result.exitCode === 0
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${step.name}`)
  if (!passed) console.log(result.all)
  return passed
}

const results: boolean[] = await Promise.all(PARALLEL.map(runStep))
for (const step of SEQUENTIAL) results.push(await runStep(step))
process.exitCode = results.every(Boolean) ? 0 : 1
