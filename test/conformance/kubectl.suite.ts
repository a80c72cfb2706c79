import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { type ReplayOptions, Session } from './kubectl/session.ts'
import { readTranscript } from './kubectl/transcript.ts'
import type { CaseOutcome, ConformanceSuite } from './suite.ts'

const PARALLEL = 2

/** The recorded client version: a dispatcher would pick another one by the server's version. */
function findKubectl(): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const found = join(folder, 'kubectl')
    if (existsSync(found)) return found
  }
  return undefined
}

async function replay(folder: string, file: string, options: ReplayOptions): Promise<CaseOutcome> {
  const transcript = readTranscript(join(folder, file))
  try {
    const difference = await Session.replay(transcript, options)
    return difference === undefined
      ? { id: transcript.id, passed: true }
      : { id: transcript.id, passed: false, firstDifference: difference }
  } catch (error) {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { id: transcript.id, passed: false, firstDifference: reason }
  }
}

/** Starts the next ones while earlier ones are still running; outcomes come in the order of files. */
async function* inOrder(
  files: readonly string[],
  run: (file: string) => Promise<CaseOutcome>,
  parallel: number
): AsyncIterable<CaseOutcome> {
  const running: Promise<CaseOutcome>[] = []
  let next = 0
  while (next < files.length || running.length > 0) {
    while (running.length < parallel && next < files.length) running.push(run(files[next++] ?? ''))
    const first = running.shift()
    if (first !== undefined) yield await first
  }
}

/** Transcripts of kubectl and HTTP sessions; `--only part,part` picks by name, `--parallel n`, `--patience ms`. */
export const suite: ConformanceSuite = {
  name: 'kubectl',
  defaultFolder: 'conformance/kubectl',
  async *run(folder: string, options: Readonly<Record<string, string>>): AsyncIterable<CaseOutcome> {
    const binary = options['kubectl'] ?? findKubectl()
    if (binary === undefined) {
      yield { id: 'kubectl', passed: false, firstDifference: 'no kubectl on the PATH' }
      return
    }
    const bin = mkdtempSync(join(tmpdir(), 'twin-bin-'))
    symlinkSync(binary, join(bin, 'kubectl'))
    const patience = options['patience']
    const replayOptions: ReplayOptions = {
      crds: join(dirname(folder), 'crds'),
      kubectl: bin,
      ...(patience === undefined ? {} : { patienceMs: Number(patience) })
    }
    const only = options['only']?.split(',')
    const files = readdirSync(folder)
      .filter((file) => file.endsWith('.yaml') && (only === undefined || only.some((part) => file.startsWith(part))))
      .toSorted()
    try {
      yield* inOrder(files, (file) => replay(folder, file, replayOptions), Number(options['parallel'] ?? PARALLEL))
    } finally {
      rmSync(bin, { recursive: true, force: true })
    }
  }
}
