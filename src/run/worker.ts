import { parentPort } from 'node:worker_threads'
import { invariant } from '../lib/errors/index.ts'
import { type CaseTask, runTask } from './case-task.ts'
import type { CaseResult } from './result.ts'

/** What a session tells a worker. */
export type ToWorker = { readonly kind: 'run'; readonly task: CaseTask } | { readonly kind: 'stop' }

/** What a worker tells its session. */
export type FromWorker =
  | { readonly kind: 'line'; readonly line: string }
  | { readonly kind: 'done'; readonly result: CaseResult }
  | { readonly kind: 'broken'; readonly message: string }

const port = parentPort
invariant(port !== null, 'the worker entry runs in a worker thread')
let running = new AbortController()

const send = (message: FromWorker): void => port.postMessage(message)

port.on('message', (message: ToWorker) => {
  if (message.kind === 'stop') {
    running.abort()
    return
  }
  running = new AbortController()
  const options = { signal: running.signal, onLine: (line: string): void => send({ kind: 'line', line }) }
  runTask(message.task, options).then(
    (result) => send({ kind: 'done', result }),
    (error: unknown) => send({ kind: 'broken', message: error instanceof Error ? error.message : String(error) })
  )
})
