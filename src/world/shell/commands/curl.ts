import { defineCommand } from 'just-bash'
import type { Command, ResolvedCommandContext } from 'just-bash'
import type { ShellHttpAnswer, ShellHttpRequest } from '../ports.ts'
import { lend, type ShellSession } from '../session.ts'
import { type OptionTable, type ParsedOptions, parseOptions } from './options.ts'
import { failed } from './time.ts'

const OPTIONS: OptionTable = {
  '-s': { name: 'silent', kind: 'flag' },
  '--silent': { name: 'silent', kind: 'flag' },
  '-S': { name: 'show-error', kind: 'flag' },
  '--show-error': { name: 'show-error', kind: 'flag' },
  '-f': { name: 'fail', kind: 'flag' },
  '--fail': { name: 'fail', kind: 'flag' },
  '--fail-with-body': { name: 'fail-with-body', kind: 'flag' },
  '-i': { name: 'include', kind: 'flag' },
  '--include': { name: 'include', kind: 'flag' },
  '-I': { name: 'head', kind: 'flag' },
  '--head': { name: 'head', kind: 'flag' },
  '-L': { name: 'location', kind: 'flag' },
  '--location': { name: 'location', kind: 'flag' },
  '-k': { name: 'insecure', kind: 'flag' },
  '--insecure': { name: 'insecure', kind: 'flag' },
  '-v': { name: 'verbose', kind: 'flag' },
  '--verbose': { name: 'verbose', kind: 'flag' },
  '-N': { name: 'no-buffer', kind: 'flag' },
  '--no-buffer': { name: 'no-buffer', kind: 'flag' },
  '-G': { name: 'get', kind: 'flag' },
  '--get': { name: 'get', kind: 'flag' },
  '--compressed': { name: 'compressed', kind: 'flag' },
  '--http1.1': { name: 'http1.1', kind: 'flag' },
  '-d': { name: 'data', kind: 'list' },
  '--data': { name: 'data', kind: 'list' },
  '--data-raw': { name: 'data', kind: 'list' },
  '--data-binary': { name: 'data', kind: 'list' },
  '--data-ascii': { name: 'data', kind: 'list' },
  '-H': { name: 'header', kind: 'list' },
  '--header': { name: 'header', kind: 'list' },
  '-X': { name: 'request', kind: 'value' },
  '--request': { name: 'request', kind: 'value' },
  '-o': { name: 'output', kind: 'value' },
  '--output': { name: 'output', kind: 'value' },
  '-w': { name: 'write-out', kind: 'value' },
  '--write-out': { name: 'write-out', kind: 'value' },
  '-m': { name: 'max-time', kind: 'value' },
  '--max-time': { name: 'max-time', kind: 'value' },
  '--connect-timeout': { name: 'connect-timeout', kind: 'value' },
  '-A': { name: 'user-agent', kind: 'value' },
  '--user-agent': { name: 'user-agent', kind: 'value' },
  '-b': { name: 'cookie', kind: 'value' },
  '--cookie': { name: 'cookie', kind: 'value' },
  '-u': { name: 'user', kind: 'value' },
  '--user': { name: 'user', kind: 'value' },
  '-e': { name: 'referer', kind: 'value' },
  '--referer': { name: 'referer', kind: 'value' },
  '--url': { name: 'url', kind: 'list' }
}

/** Most redirects that `-L` follows (curl's default is 50). */
const REDIRECTS_MAX = 50

/** Most URLs of one command line. */
const URLS_MAX = 32

interface Transfer {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

/**
 * `curl` through the mesh, as the pod it runs in (curl 7.88): the options that scripts use. The progress meter is not
 * drawn; `-v` prints nothing more.
 */
export function curlCommand(session: ShellSession): Command {
  return defineCommand('curl', async (args, ctx) => {
    const options = parseOptions(args, OPTIONS)
    if ('unknown' in options) {
      return failed(
        2,
        `curl: option ${options.unknown}: is unknown\ncurl: try 'curl --help' or 'curl --manual' for more information\n`
      )
    }
    if ('missing' in options) return failed(2, `curl: option ${options.missing}: requires parameter\n`)
    const urls = [...options.rest, ...(options.lists.get('url') ?? [])].slice(0, URLS_MAX)
    if (urls.length === 0) return failed(2, `curl: no URL specified!\ncurl: try 'curl --help' for more information\n`)
    let stdout = ''
    let stderr = ''
    let exitCode = 0
    for (const url of urls) {
      const transfer = await transferOne(session, ctx, options, url)
      stdout += transfer.stdout
      stderr += transfer.stderr
      exitCode = transfer.exitCode
    }
    return { stdout, stderr, exitCode, stdoutKind: 'bytes' }
  })
}

async function transferOne(
  session: ShellSession,
  ctx: ResolvedCommandContext,
  options: ParsedOptions,
  text: string
): Promise<Transfer> {
  let url = parseUrl(text)
  if (url === undefined) return problem(options, 3, 'URL using bad/illegal format or missing URL')
  if (url.protocol !== 'http:') {
    return problem(options, 1, `Protocol "${url.protocol.replace(':', '')}" not supported or disabled in libcurl`)
  }
  const startMs = session.ports.clock.now()
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
    const request = buildRequest(options, url)
    if (typeof request === 'string') return problem(options, 2, request)
    const answer = await send(session, request, ctx.signal ?? session.signal)
    if (!answer.ok) return transportProblem(options, url, answer, session.ports.clock.now() - startMs)
    const location = answer.headers.find(([name]) => name.toLowerCase() === 'location')?.[1]
    if (options.flags.has('location') && location !== undefined && answer.status >= 300 && answer.status < 400) {
      url = new URL(location, url)
      continue
    }
    return finish({ session, ctx, options, url, answer, request, startMs })
  }
  return problem(options, 47, `Maximum (${REDIRECTS_MAX}) redirects followed`)
}

function parseUrl(text: string): URL | undefined {
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`
  return URL.canParse(full) ? new URL(full) : undefined
}

function send(session: ShellSession, request: ShellHttpRequest, signal: AbortSignal): Promise<ShellHttpAnswer> {
  const hold = session.ports.clock.hold(`curl ${request.url.href}`)
  return lend(session, async () => {
    try {
      return await session.ports.http(session.place, request, hold, signal)
    } finally {
      session.hold.resume()
      hold.release()
    }
  })
}

function buildRequest(options: ParsedOptions, target: URL): ShellHttpRequest | string {
  const data = options.lists.get('data')?.join('&')
  const headers: Record<string, string> = {
    'user-agent': options.values.get('user-agent') ?? 'curl/7.88.1',
    accept: '*/*'
  }
  const url = new URL(target)
  let body: string | undefined
  if (data !== undefined && options.flags.has('get')) url.search = url.search === '' ? data : `${url.search}&${data}`
  else if (data !== undefined) {
    body = data
    headers['content-type'] = 'application/x-www-form-urlencoded'
  }
  const cookie = options.values.get('cookie')
  if (cookie !== undefined) headers['cookie'] = cookie
  const referer = options.values.get('referer')
  if (referer !== undefined) headers['referer'] = referer
  const user = options.values.get('user')
  if (user !== undefined) headers['authorization'] = `Basic ${Buffer.from(user).toString('base64')}`
  for (const header of options.lists.get('header') ?? []) {
    const colon = header.indexOf(':')
    if (colon < 0) continue
    const name = header.slice(0, colon).toLowerCase()
    const value = header.slice(colon + 1).trim()
    if (value === '') delete headers[name]
    else headers[name] = value
  }
  const maxTime = options.values.get('max-time')
  if (maxTime !== undefined && !Number.isFinite(Number(maxTime))) {
    return 'option -m: expected a proper numerical parameter'
  }
  const fallback = options.flags.has('head') ? 'HEAD' : body === undefined ? 'GET' : 'POST'
  return {
    method: options.values.get('request') ?? fallback,
    url,
    headers,
    ...(body === undefined ? {} : { body }),
    ...(maxTime === undefined ? {} : { timeoutMs: Number(maxTime) * 1000 })
  }
}

function problem(options: ParsedOptions, exitCode: number, message: string): Transfer {
  const quiet = options.flags.has('silent') && !options.flags.has('show-error')
  return failed(exitCode, quiet ? '' : `curl: (${exitCode}) ${message}\n`)
}

function transportProblem(
  options: ParsedOptions,
  url: URL,
  answer: Extract<ShellHttpAnswer, { ok: false }>,
  elapsedMs: number
): Transfer {
  const port = url.port === '' ? '80' : url.port
  switch (answer.reason) {
    case 'resolve':
      return problem(options, 6, `Could not resolve host: ${url.hostname}`)
    case 'refused':
      return problem(
        options,
        7,
        `Failed to connect to ${url.hostname} port ${port} after 0 ms: Couldn't connect to server`
      )
    case 'timeout':
      return problem(
        options,
        28,
        `Operation timed out after ${Math.round(elapsedMs)} milliseconds with 0 bytes received`
      )
    case 'aborted':
      return failed(130, '')
    default:
      return problem(options, 52, 'Empty reply from server')
  }
}

interface Finished {
  readonly session: ShellSession
  readonly ctx: ResolvedCommandContext
  readonly options: ParsedOptions
  readonly url: URL
  readonly answer: Extract<ShellHttpAnswer, { ok: true }>
  readonly request: ShellHttpRequest
  readonly startMs: number
}

async function finish(finished: Finished): Promise<Transfer> {
  const { options, answer, ctx } = finished
  const bad = answer.status >= 400
  const silentFailure = bad && options.flags.has('fail')
  let stdout = ''
  if (options.flags.has('include') || options.flags.has('head')) {
    stdout += `HTTP/1.1 ${answer.status} ${STATUS_TEXT[answer.status] ?? ''}\r\n`
    for (const [name, value] of answer.headers) stdout += `${name}: ${value}\r\n`
    stdout += '\r\n'
  }
  if (!silentFailure && !options.flags.has('head')) stdout += answer.body
  const output = options.values.get('output')
  if (output !== undefined) {
    if (output !== '/dev/null' && output !== '-') {
      await ctx.fs.writeFile(ctx.fs.resolvePath(ctx.cwd, output), Buffer.from(stdout, 'latin1'))
    }
    if (output !== '-') stdout = ''
  }
  const format = options.values.get('write-out')
  if (format !== undefined) stdout += writeOut(format, finished)
  if (bad && (options.flags.has('fail') || options.flags.has('fail-with-body'))) {
    const failure = problem(options, 22, `The requested URL returned error: ${answer.status}`)
    return { ...failure, stdout }
  }
  return { stdout, stderr: '', exitCode: 0 }
}

function writeOut(format: string, { session, answer, url, request, startMs }: Finished): string {
  const seconds = ((session.ports.clock.now() - startMs) / 1000).toFixed(6)
  const known: Readonly<Record<string, string>> = {
    http_code: String(answer.status).padStart(3, '0'),
    response_code: String(answer.status).padStart(3, '0'),
    time_total: seconds,
    time_starttransfer: seconds,
    size_download: String(answer.body.length),
    size_upload: String(request.body?.length ?? 0),
    url_effective: url.href,
    method: request.method,
    http_version: '1.1',
    content_type: answer.headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? ''
  }
  return format
    .replace(/%\{(\w+)\}/g, (whole, name: string) => known[name] ?? whole)
    .replaceAll('\\n', '\n')
    .replaceAll('\\t', '\t')
    .replaceAll('\\r', '\r')
}

const STATUS_TEXT: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  301: 'Moved Permanently',
  302: 'Found',
  304: 'Not Modified',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout'
}
