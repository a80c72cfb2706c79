import { parseGoDuration } from '../../../lib/time/index.ts'
import { requestClass } from '../request-kinds.ts'
import type { LoopSpec } from './commands.ts'

const FLAGS: ReadonlySet<string> = new Set(['-disable-compression', '-disable-keepalive', '-disable-redirects', '-h2'])

/** Most workers of one load. */
const WORKERS_MAX = 500

/** Reads the options of `hey` 0.1.4; a text says what is wrong. */
export function readHey(words: readonly string[]): LoopSpec | string {
  const options = new Map<string, string>()
  const headers: Record<string, string> = { 'content-type': 'text/html', 'user-agent': 'hey/0.0.1' }
  let address: string | undefined
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? ''
    if (FLAGS.has(word)) continue
    if (!word.startsWith('-')) address = word
    else if (word === '-H') {
      const [, name = '', value = ''] = /^([\w-]+):\s*(.+)/.exec(words[++index] ?? '') ?? []
      headers[name.toLowerCase()] = value
    } else options.set(word, words[++index] ?? '')
  }
  if (address === undefined || !URL.canParse(address)) return `parse "${address ?? ''}": invalid URI for request`
  const number = (name: string, absent: number): number => Number(options.get(name) ?? absent)
  const host = options.get('-host')
  if (host !== undefined) headers['host'] = host
  const workers = number('-c', 50)
  const count = number('-n', 200)
  if (!(workers > 0 && workers <= WORKERS_MAX)) return `-c must be 1 to ${WORKERS_MAX}.`
  const durationText = options.get('-z')
  const durationMs = durationText === undefined ? undefined : parseGoDuration(durationText)
  if (durationText !== undefined && durationMs === undefined) return `invalid value "${durationText}" for flag -z`
  if (durationMs === undefined && count < workers) return '-n cannot be less than -c.'
  const rate = number('-q', 0)
  const timeoutSeconds = number('-t', 20)
  return {
    request: requestClass({
      method: (options.get('-m') ?? 'GET').toUpperCase(),
      url: new URL(address),
      headers,
      body: options.get('-d') ?? ''
    }),
    workers,
    ...(rate > 0 ? { ratePerWorker: rate } : {}),
    ...(durationMs === undefined ? { requests: Math.floor(count / workers) * workers } : { durationMs }),
    timeoutMs: timeoutSeconds > 0 ? timeoutSeconds * 1000 : Number.POSITIVE_INFINITY
  }
}
