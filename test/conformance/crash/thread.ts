import { readFileSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import type { GoldenCase } from '../golden/case.ts'
import { crashMatrix, type CaseMatrix } from './matrix.ts'

/** What a thread answers for one file. */
export interface ThreadAnswer {
  readonly file: string
  readonly matrix?: CaseMatrix
  readonly error?: string
}

parentPort?.on('message', (file: string) => parentPort?.postMessage(answerFor(file)))

function answerFor(file: string): ThreadAnswer {
  try {
    return { file, matrix: crashMatrix(JSON.parse(readFileSync(file, 'utf8')) as GoldenCase) }
  } catch (error) {
    return { file, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}
