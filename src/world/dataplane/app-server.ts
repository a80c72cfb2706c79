import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Hold, Timeline } from '../../lib/time/index.ts'
import type { App, AppAnswer } from '../../model/app/index.ts'
import type { Holds, HoldUsers } from './holds.ts'
import { readBody } from './listener.ts'
import { type PlanPorts, runPlan } from './plan-runner.ts'
import { endWhole, headerOf, WHOLE_BYTES_MAX } from './relay.ts'
import { foreignHeaders, HOLD_HEADER, KEY_HEADER } from './wire-headers.ts'

/** What an application's listener needs. */
export interface AppServerOptions {
  readonly app: App
  readonly port: number
  readonly timeline: Timeline
  readonly holds: Holds | undefined
  readonly users: HoldUsers
  /** What the app's plans may do, but for the answer's head. */
  readonly ports: Omit<PlanPorts, 'head'>
}

/** The handler of one port of an application. */
export function appServer(options: AppServerOptions): RequestListener {
  let count = 0
  return (incoming, response) => {
    count += 1
    const key = headerOf(incoming, KEY_HEADER) ?? `direct#${count}`
    const holdId = headerOf(incoming, HOLD_HEADER)
    const hold = holdId === undefined ? undefined : options.holds?.find(Number(holdId))
    readBody(incoming, (body) => serve(options, { incoming, response, key, hold, body: body?.toString() ?? '' }))
  }
}

interface Serving {
  readonly incoming: IncomingMessage
  readonly response: ServerResponse
  readonly key: string
  readonly hold: Hold | undefined
  readonly body: string
}

function serve(options: AppServerOptions, serving: Serving): void {
  const { incoming, response, key, hold, body } = serving
  const { timeline } = options
  response.sendDate = false
  const plan = options.app.serve(
    {
      method: incoming.method ?? 'GET',
      target: incoming.url ?? '/',
      headers: foreignHeaders(incoming.rawHeaders),
      body,
      port: options.port,
      key
    },
    timeline.now()
  )
  let over = false
  let leave: () => void = () => {}
  const ports: PlanPorts = {
    ...options.ports,
    head: (status, headers) => {
      response.writeHead(status, { ...headers, Date: httpDate(timeline.now()) })
      response.flushHeaders()
    }
  }
  const run = runPlan(plan, ports, hold, (answer) => {
    over = true
    leave()
    write({ incoming, response, hold, timeline }, answer)
  })
  const gone = (): void => {
    over = true
    leave()
    run.cancel()
  }
  if (!over) leave = options.users.add(hold, gone)
  response.on('close', () => {
    if (!over) gone()
  })
}

interface Writing {
  readonly incoming: IncomingMessage
  readonly response: ServerResponse
  readonly hold: Hold | undefined
  readonly timeline: Timeline
}

function write({ incoming, response, hold, timeline }: Writing, answer: AppAnswer): void {
  switch (answer.kind) {
    case 'hang':
      // Nobody will ever answer; time goes on until the client gives up.
      hold?.suspend()
      return
    case 'reset':
      incoming.socket.resetAndDestroy()
      return
    case 'close':
      incoming.socket.destroy()
      return
    case 'response': {
      if (response.headersSent) {
        response.end(answer.body)
        return
      }
      const body = Buffer.from(answer.body)
      const bare = answer.status === 204 || answer.status === 304 || answer.status < 200
      const headers: Record<string, string | number> = { ...answer.headers, Date: httpDate(timeline.now()) }
      if (!bare) headers['Content-Length'] = body.length
      response.writeHead(answer.status, headers)
      if (bare) response.end()
      else if (body.length > WHOLE_BYTES_MAX) response.end(body)
      else endWhole(response, body)
    }
  }
}

let dateSecond = Number.NaN
let dateText = ''

/** Simulated now as a Date header; the text of the last second is kept. */
function httpDate(now: number): string {
  const second = Math.floor(now / 1000)
  if (second !== dateSecond) {
    dateSecond = second
    dateText = new Date(second * 1000).toUTCString()
  }
  return dateText
}
