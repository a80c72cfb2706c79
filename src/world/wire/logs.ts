import type { ServerResponse } from 'node:http'
import type { ApiRequest } from '../../kinds/index.ts'
import { sendStatus } from './answer.ts'
import { isStatus, type LogsCall, type WireHooks } from './hooks.ts'
import type { PodPath } from './pod-path.ts'
import { status } from './request.ts'

/** Serves `kubectl logs`: plain text, streamed as long as the client follows. */
export function serveLogs(response: ServerResponse, path: PodPath, request: ApiRequest, hooks: WireHooks): void {
  if (hooks.logs === undefined) return sendStatus(response, status(500, 'InternalError', 'this world keeps no logs'))
  let begun = false
  const begin = (): void => {
    if (begun) return
    begun = true
    response.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'no-cache, private' })
    response.flushHeaders()
  }
  const opened = hooks.logs(readCall(path, request.query ?? {}), {
    write: (text) => {
      begin()
      response.write(text)
    },
    end: () => {
      begin()
      response.end()
    }
  })
  if (isStatus(opened)) return sendStatus(response, opened)
  begin()
  response.on('close', () => opened.stop())
}

function readCall(path: PodPath, query: Readonly<Record<string, string>>): LogsCall {
  const flag = (name: string): boolean => query[name] === 'true' || query[name] === '1'
  const count = (name: string): Readonly<Record<string, number>> => {
    const value = Number(query[name])
    return query[name] === undefined || Number.isNaN(value) ? {} : { [name]: value }
  }
  return {
    namespace: path.namespace,
    pod: path.pod,
    ...(query['container'] === undefined ? {} : { container: query['container'] }),
    follow: flag('follow'),
    previous: flag('previous'),
    timestamps: flag('timestamps'),
    ...count('tailLines'),
    ...count('sinceSeconds'),
    ...count('limitBytes')
  }
}
