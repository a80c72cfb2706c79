import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { CaseMatrix } from './crash/matrix.ts'
import { caseFinding, matrixReport } from './crash/report.ts'
import type { ThreadAnswer } from './crash/thread.ts'
import type { CaseOutcome, ConformanceSuite } from './suite.ts'

/**
 * Crash safety: disturbs every golden case at every effect and prints what became of it, effect by fault.
 * `--case <text>`: only cases whose name contains the text; `--threads <n>`: default one per core.
 */
export const suite: ConformanceSuite = {
  name: 'crash',
  defaultFolder: 'golden',
  async *run(folder, options) {
    const begin = performance.now()
    const cpu = process.cpuUsage()
    const files = readdirSync(join(folder, 'cases'))
      .sort()
      .filter((file) => file.endsWith('.json') && file.includes(options['case'] ?? ''))
      .map((file) => join(folder, 'cases', file))
    const threads = Math.min(files.length, Number(options['threads'] ?? availableParallelism()))
    const answers = await answersOf(files, threads)
    yield* answers.map(outcomeOf)
    const used = process.cpuUsage(cpu)
    const seconds = { wall: (performance.now() - begin) / 1000, cpu: (used.user + used.system) / 1e6 }
    const matrices = answers.flatMap(({ matrix }): CaseMatrix[] => (matrix === undefined ? [] : [matrix]))
    console.log(matrixReport(matrices, seconds))
  }
}

/** Answers in the order of the files; each thread takes the next file when it is free. */
async function answersOf(files: readonly string[], threads: number): Promise<ThreadAnswer[]> {
  const answers = new Map<string, ThreadAnswer>()
  const queue = [...files]
  await Promise.all(Array.from({ length: threads }, () => work(queue, answers)))
  return files.flatMap((file) => answers.get(file) ?? [])
}

function work(queue: string[], answers: Map<string, ThreadAnswer>): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./crash/thread.ts', import.meta.url))
    const next = (): void => {
      const file = queue.shift()
      if (file === undefined) void worker.terminate().then(() => resolve())
      else worker.postMessage(file)
    }
    worker.on('message', (answer: ThreadAnswer) => {
      answers.set(answer.file, answer)
      next()
    })
    worker.on('error', reject)
    next()
  })
}

function outcomeOf({ file, matrix, error }: ThreadAnswer): CaseOutcome {
  const id = basename(file, '.json')
  const finding = matrix === undefined ? error : caseFinding(matrix)
  return finding === undefined ? { id, passed: true } : { id, passed: false, firstDifference: finding }
}
