import type { AppFetch, AppFetchResult } from '../../../model/app/index.ts'
import type { CommandResult } from '../../world.ts'

/** What a `curl` command asks for. */
export interface Curl {
  readonly fetch: AppFetch
  readonly fail: boolean
  readonly include: boolean
  /** Whether the body is thrown away (`-o /dev/null`). */
  readonly discard: boolean
  readonly writeOut: string
}

const VALUES: Readonly<Record<string, string>> = {
  d: 'data',
  H: 'header',
  X: 'request',
  o: 'output',
  w: 'write-out',
  m: 'max-time',
  A: 'user-agent'
}

const LONG_VALUES: ReadonlySet<string> = new Set([
  ...Object.values(VALUES),
  'data-raw',
  'data-binary',
  'connect-timeout',
  'url'
])

/** Reads the options of `curl` that hooks and tutorials use; a text says what is wrong. */
export function readCurl(words: readonly string[]): Curl | string {
  const found = readWords(words)
  const url = found.values.get('url')?.at(-1)
  if (url === undefined) return 'no URL specified'
  const text = /^https?:\/\//.test(url) ? url : `http://${url}`
  if (!URL.canParse(text)) return `(3) URL rejected: ${url}`
  const data = [...(found.values.get('data') ?? [])]
  const body = data.join('&')
  const head = found.flags.has('I') || found.flags.has('head')
  const method = found.values.get('request')?.at(-1) ?? (head ? 'HEAD' : data.length > 0 ? 'POST' : 'GET')
  const headers: Record<string, string> = { 'user-agent': 'curl/8.5.0', accept: '*/*' }
  if (data.length > 0) headers['content-type'] = 'application/x-www-form-urlencoded'
  for (const line of found.values.get('header') ?? []) {
    const colon = line.indexOf(':')
    if (colon > 0) headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim()
  }
  const seconds = Number(found.values.get('max-time')?.at(-1) ?? Number.POSITIVE_INFINITY)
  return {
    fetch: { url: text, method, headers, body, timeoutMs: seconds * 1000 },
    fail: found.flags.has('f') || found.flags.has('fail'),
    include: found.flags.has('i') || found.flags.has('include') || head,
    discard: found.values.get('output')?.at(-1) === '/dev/null',
    writeOut: found.values.get('write-out')?.at(-1) ?? ''
  }
}

function readWords(words: readonly string[]): {
  readonly flags: ReadonlySet<string>
  readonly values: ReadonlyMap<string, readonly string[]>
} {
  const flags = new Set<string>()
  const values = new Map<string, string[]>()
  const add = (name: string, value: string): void => {
    const list = values.get(name) ?? []
    list.push(value)
    values.set(name, list)
  }
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? ''
    if (word.startsWith('--')) {
      const name = word.slice(2)
      if (LONG_VALUES.has(name)) add(name.startsWith('data') ? 'data' : name, words[++index] ?? '')
      else flags.add(name)
    } else if (word.startsWith('-') && word.length > 1) {
      // Letters may be joined (`-sd body`); the first that takes a value takes the rest of the word or the next one.
      const letters = word.slice(1)
      const at = [...letters].findIndex((letter) => letter in VALUES)
      for (const letter of at < 0 ? letters : letters.slice(0, at)) flags.add(letter)
      if (at < 0) continue
      const rest = letters.slice(at + 1)
      add(VALUES[letters.charAt(at)] ?? '', rest === '' ? (words[++index] ?? '') : rest)
    } else add('url', word)
  }
  return { flags, values }
}

const FAILURES: Readonly<Record<string, readonly [number, string]>> = {
  unresolved: [6, 'Could not resolve host'],
  refused: [7, 'Failed to connect'],
  timeout: [28, 'Operation timed out'],
  reset: [52, 'Empty reply from server']
}

/** What `curl` prints and how it ends. @see curl 8.5.0 */
export function curlOutcome(curl: Curl, result: AppFetchResult): CommandResult {
  if (!result.ok) {
    const [exitCode, text] = FAILURES[result.reason] ?? [56, 'Recv failure']
    return { exitCode, stdout: written(curl, 0), stderr: `curl: (${exitCode}) ${text}: ${curl.fetch.url}\n` }
  }
  const { status, headers, body } = result
  if (curl.fail && status >= 400) {
    const stderr = `curl: (22) The requested URL returned error: ${status}\n`
    return { exitCode: 22, stdout: written(curl, status), stderr }
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name.toLowerCase()}: ${value}\r\n`)
  const head = curl.include ? `HTTP/1.1 ${status}\r\n${lines.join('')}\r\n` : ''
  const shown = curl.discard ? '' : head + (curl.fetch.method === 'HEAD' ? '' : body)
  return { exitCode: 0, stdout: shown + written(curl, status), stderr: '' }
}

function written(curl: Curl, status: number): string {
  return curl.writeOut
    .replace(/%\{(?:http_code|response_code)\}/g, String(status).padStart(3, '0'))
    .replaceAll('\\n', '\n')
}
