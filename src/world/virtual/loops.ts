import type { AppSpec } from '../../kinds/index.ts'
import { parseGoDuration, type Scheduled, type Timeline } from '../../lib/time/index.ts'
import { type AppContainer, argvOf, parseFlags } from '../../model/app/index.ts'
import type { Answers } from './batch.ts'
import type { LoopSpec } from './commands/commands.ts'
import { requestClass } from './request-kinds.ts'
import type { VirtualClient } from './routes.ts'
import { closedSchedule } from './schedules.ts'
import type { Traffic } from './traffic.ts'

/** How often a loop without a duration is looked at, milliseconds. */
const LOOK_MS = 1000

/** Statuses of a loop's answers. */
interface LoopCounts {
  sent: number
  readonly byStatus: Map<string, number>
}

/** Runs a closed loop of requests; `done` hears its report when it is over. @returns ends it early */
export function runLoop(
  context: { readonly timeline: Timeline; readonly traffic: Traffic },
  from: VirtualClient,
  spec: LoopSpec,
  done: (report: string) => void
): () => void {
  const { timeline, traffic } = context
  const began = timeline.now()
  const counts: LoopCounts = { sent: 0, byStatus: new Map() }
  const { request, timeoutMs, durationMs, requests } = spec
  const end = traffic.add({
    client: from,
    request,
    timeoutMs,
    schedule: closedSchedule(spec, began),
    onSent: (count) => {
      counts.sent += count
    },
    onAnswers: (answers) => countAnswers(counts, answers)
  })
  let timer: Scheduled | undefined
  const finish = (): void => {
    end()
    done(reportOf(counts, timeline.now() - began))
  }
  const look = (): void => {
    traffic.settle()
    if (requests !== undefined && counts.sent >= requests) finish()
    else timer = timeline.at(timeline.now() + LOOK_MS, look)
  }
  if (durationMs === undefined) look()
  else timer = timeline.at(began + durationMs, finish)
  return () => {
    timer?.cancel()
    end()
  }
}

function countAnswers({ byStatus }: LoopCounts, { status, reason, count }: Answers): void {
  const key = String(status ?? reason ?? 'reset')
  byStatus.set(key, (byStatus.get(key) ?? 0) + count)
}

/** The parts of hey's report that requests drawn by the dozen still have. */
function reportOf({ sent, byStatus }: LoopCounts, totalMs: number): string {
  const seconds = Math.max(totalMs, 1) / 1000
  const lines = [...byStatus].map(([status, count]) => `  [${status}]\t${count} responses`)
  const rate = (sent / seconds).toFixed(4)
  return `\nSummary:\n  Total:\t${seconds.toFixed(4)} secs\n  Requests/sec:\t${rate}\n\nStatus code distribution:\n${lines.join('\n')}\n`
}

/** What a slow_cooker container sends; undefined where it has no address. @see model/app slow_cooker 1.2.0 */
export function slowCookerLoop(spec: AppSpec, container: AppContainer): LoopSpec | undefined {
  if (spec.app !== 'slow-cooker') return undefined
  const { flags, rest } = parseFlags(
    argvOf(container).slice(1),
    new Set(['noreuse', 'compress', 'noLatencySummary', 'help'])
  )
  const text = (name: string, absent: string): string => flags.get(name)?.at(-1) ?? absent
  const address = rest.at(-1) ?? ''
  if (!URL.canParse(address)) return undefined
  const headers: Record<string, string> = {}
  const host = text('host', '').split(',')[0]
  if (host !== undefined && host !== '') headers['host'] = host
  for (const header of flags.get('header') ?? []) {
    const colon = header.indexOf(':')
    if (colon > 0) headers[header.slice(0, colon).trim().toLowerCase()] = header.slice(colon + 1).trim()
  }
  const total = Number(text('totalRequests', '0'))
  return {
    request: requestClass({ method: text('method', 'GET'), url: new URL(address), headers, body: text('data', '') }),
    workers: Math.max(1, Number(text('concurrency', '1'))),
    ratePerWorker: Math.max(1, Number(text('qps', '1'))),
    timeoutMs: parseGoDuration(text('timeout', '10s')) ?? 10_000,
    ...(total > 0 ? { requests: total } : {})
  }
}
