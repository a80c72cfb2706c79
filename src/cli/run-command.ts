import { createReporters, streamSink } from '../report/index.ts'
import { runSession, type SessionOptions, updateSequences } from '../run/index.ts'
import { interruptSignal } from './interrupt.ts'
import { versions } from './versions.ts'
import { keepYoungHeapSmall } from './young-heap.ts'

/** `twin run`: runs scenarios, reports, returns the exit code. */
export async function runCommand(files: readonly string[], flags: Readonly<Record<string, unknown>>): Promise<number> {
  if (flags['world'] !== 'virtual') keepYoungHeapSmall()
  const reporters = (flags['reporter'] ?? []) as string[]
  const observer = createReporters(reporters, streamSink(process.stdout))
  const summary = await runSession(sessionOptions(files, flags), observer)
  if (flags['update'] === true) {
    for (const line of updateSequences(summary.results)) process.stderr.write(`${line}\n`)
  }
  return summary.exitCode
}

function sessionOptions(files: readonly string[], flags: Readonly<Record<string, unknown>>): SessionOptions {
  const { grep, shard, repeatEach, lastFailed, bail, seed, speed, world, workers, output, verbose } = flags
  return {
    files,
    versions: versions(),
    signal: interruptSignal(),
    ...(typeof grep === 'string' ? { grep } : {}),
    ...(typeof shard === 'string' ? { shard } : {}),
    ...(typeof repeatEach === 'number' ? { repeatEach } : {}),
    ...(lastFailed === true ? { lastFailed } : {}),
    ...(bail === true ? { bail } : {}),
    ...(typeof seed === 'number' ? { seed } : {}),
    ...(typeof speed === 'number' ? { speed } : {}),
    ...(typeof world === 'string' ? { world } : {}),
    ...(typeof workers === 'number' ? { workers } : {}),
    ...(typeof output === 'string' ? { outputFolder: output } : {}),
    ...(verbose === true ? { verbose } : {})
  }
}
