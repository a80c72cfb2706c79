import { loadCases } from '../run/index.ts'

/** `twin list`: the cases a run of the same arguments would take, one per line. */
export function listCommand(files: readonly string[], flags: Readonly<Record<string, unknown>>): number {
  const { grep, shard } = flags
  const { cases, invalid } = loadCases({
    files,
    ...(typeof grep === 'string' ? { grep } : {}),
    ...(typeof shard === 'string' ? { shard } : {})
  })
  for (const scenario of cases) process.stdout.write(`${scenario.name}\t${scenario.file}\tseed ${scenario.seed}\n`)
  for (const result of invalid) process.stderr.write(`${result.error?.message ?? result.name}\n`)
  return invalid.length === 0 ? 0 : 2
}
