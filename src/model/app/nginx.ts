import { TwinError } from '../../lib/errors/index.ts'
import type { AppCore, AppOptions, AppRequest } from './app.ts'
import { pathOf } from './faults.ts'
import { type AppAnswer, type AppFetchResult, type AppPlan, fetchAll, respond } from './plan.ts'
import { imageTag } from './version.ts'

/** A directive of nginx.conf: words, and a block for those that have one. */
interface Directive {
  readonly name: string
  readonly words: readonly string[]
  readonly block: readonly Directive[] | undefined
}

interface Location {
  readonly modifier: string
  readonly pattern: string
  readonly directives: readonly Directive[]
}

interface Server {
  readonly ports: readonly number[]
  readonly names: readonly string[]
  readonly directives: readonly Directive[]
  readonly locations: readonly Location[]
}

const CONFIG_PATH = '/etc/nginx/nginx.conf'
const HOP_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'host',
  'date',
  'server'
])
const REASONS: Readonly<Record<number, string>> = {
  404: 'Not Found',
  502: 'Bad Gateway',
  504: 'Gateway Time-out'
}

/**
 * nginx as a reverse proxy: `server`, `listen`, `server_name`, `location` (prefix, `=`, `^~`, `~`, `~*`), `return`,
 * `proxy_pass` with and without a path, `proxy_set_header`, `proxy_read_timeout`, `include` of mounted files.
 * Without a mounted configuration it is the image's welcome page on port 80.
 * @throws TwinError TWIN_USAGE for a configuration that does not parse
 */
export function createNginx(options: AppOptions): AppCore {
  const { spec, container } = options
  const version = spec.version ?? imageTag(container.image)
  const text = container.files[CONFIG_PATH]
  const servers = readServers(text ?? 'http { include /etc/nginx/conf.d/*.conf; }', container.files)
  const effective = servers.length > 0 || text !== undefined ? servers : [welcomeServer()]
  const ports = [...new Set(effective.flatMap((server) => server.ports))]
  return {
    version,
    ports: ports.length > 0 ? ports : [80],
    startupMs: 200,
    serve: (request) => serve(effective, request)
  }
}

function welcomeServer(): Server {
  const body =
    '<!DOCTYPE html>\n<html><head><title>Welcome to nginx!</title></head><body><h1>Welcome to nginx!</h1></body></html>\n'
  const directives = [{ name: 'return', words: ['200', body], block: undefined }]
  return { ports: [80], names: [], directives: [], locations: [{ modifier: '=', pattern: '/', directives }] }
}

function* serve(servers: readonly Server[], request: AppRequest): AppPlan {
  const host = (request.headers.find(([name]) => name.toLowerCase() === 'host')?.[1] ?? '').replace(/:\d+$/, '')
  const listening = servers.filter((server) => server.ports.includes(request.port))
  const server = listening.find((candidate) => candidate.names.includes(host)) ?? listening[0] ?? servers[0]
  if (server === undefined) return errorPage(404)
  const location = pickLocation(server, pathOf(request.target))
  const directives = location?.directives ?? server.directives
  const returned = directives.find((directive) => directive.name === 'return')
  if (returned !== undefined) return returnAnswer(returned)
  const pass = directives.find((directive) => directive.name === 'proxy_pass')?.words[0]
  if (pass === undefined || location === undefined) return errorPage(404)
  return yield* proxyPass(pass, location, server, request)
}

function pickLocation(server: Server, path: string): Location | undefined {
  const exact = server.locations.find((location) => location.modifier === '=' && location.pattern === path)
  if (exact !== undefined) return exact
  const prefixes = server.locations.filter(
    (location) => (location.modifier === '' || location.modifier === '^~') && path.startsWith(location.pattern)
  )
  const longest = prefixes.toSorted((a, b) => b.pattern.length - a.pattern.length)[0]
  if (longest?.modifier === '^~') return longest
  const expression = server.locations.find(
    (location) =>
      location.modifier.startsWith('~') &&
      new RegExp(location.pattern, location.modifier === '~*' ? 'i' : '').test(path)
  )
  return expression ?? longest
}

function returnAnswer(directive: Directive): AppAnswer {
  const status = Number(directive.words[0])
  const text = directive.words[1] ?? ''
  if (status >= 300 && status < 400) return respond(status, { Server: 'nginx', Location: text }, '')
  const type = text.startsWith('<') ? 'text/html' : 'text/plain'
  return text === '' && status >= 400
    ? errorPage(status)
    : respond(status, { Server: 'nginx', 'Content-Type': type }, text)
}

function* proxyPass(pass: string, location: Location, server: Server, request: AppRequest): AppPlan {
  const url = new URL(pass)
  const hasPath = /^https?:\/\/[^/]+\//.test(pass)
  const suffix = hasPath ? url.pathname + request.target.slice(location.pattern.length) : request.target
  const headers: Record<string, string> = {}
  for (const [name, value] of request.headers) if (!HOP_HEADERS.has(name.toLowerCase())) headers[name] = value
  headers['Host'] = url.host
  for (const directive of [...server.directives, ...location.directives]) {
    if (directive.name !== 'proxy_set_header') continue
    const [name = '', value = ''] = directive.words
    headers[name] = expandVariables(value, url, request)
  }
  const timeout = location.directives.find((directive) => directive.name === 'proxy_read_timeout')?.words[0]
  const call = {
    url: `${url.protocol}//${url.host}${suffix}`,
    method: request.method,
    headers,
    body: request.body,
    timeoutMs: Number.parseFloat(timeout ?? '60') * 1000
  }
  const [result] = yield* fetchAll([call])
  return result === undefined ? errorPage(502) : passBack(result)
}

function passBack(result: AppFetchResult): AppAnswer {
  if (!result.ok) return errorPage(result.reason === 'timeout' ? 504 : 502)
  const headers: Record<string, string> = { Server: 'nginx' }
  for (const [name, value] of Object.entries(result.headers))
    if (!HOP_HEADERS.has(name.toLowerCase())) headers[name] = value
  return respond(result.status, headers, result.body)
}

function expandVariables(text: string, url: URL, request: AppRequest): string {
  const header = (name: string): string => request.headers.find(([key]) => key.toLowerCase() === name)?.[1] ?? ''
  return text.replace(/\$(\w+)/g, (_whole, name: string) => {
    if (name === 'proxy_host') return url.host
    if (name === 'host' || name === 'http_host') return header('host')
    if (name === 'service_name' || name === 'service_port') return ''
    if (name === 'request_uri') return request.target
    if (name === 'scheme') return 'http'
    return name.startsWith('http_') ? header(name.slice(5).replaceAll('_', '-')) : ''
  })
}

function errorPage(status: number): AppAnswer {
  const title = `${status} ${REASONS[status] ?? 'Error'}`
  const body = `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`
  return respond(status, { Server: 'nginx', 'Content-Type': 'text/html' }, body)
}

function readServers(text: string, files: Readonly<Record<string, string>>): readonly Server[] {
  const top = parseConfig(text, files, 0)
  const http = top.filter((directive) => directive.name === 'http').flatMap((directive) => directive.block ?? [])
  return http.filter((directive) => directive.name === 'server').map((directive) => readServer(directive.block ?? []))
}

function readServer(block: readonly Directive[]): Server {
  const listens = block.filter((directive) => directive.name === 'listen')
  return {
    ports:
      listens.length === 0 ? [80] : listens.map((listen) => Number(/(\d+)$/.exec(listen.words[0] ?? '80')?.[1] ?? 80)),
    names: block.filter((directive) => directive.name === 'server_name').flatMap((directive) => directive.words),
    directives: block.filter((directive) => directive.block === undefined),
    locations: block
      .filter((directive) => directive.name === 'location')
      .map((directive) => ({
        modifier: directive.words.length > 1 ? (directive.words[0] ?? '') : '',
        pattern: directive.words.at(-1) ?? '/',
        directives: directive.block ?? []
      }))
  }
}

const INCLUDE_DEPTH = 5

function parseConfig(text: string, files: Readonly<Record<string, string>>, depth: number): readonly Directive[] {
  const tokens = [...text.matchAll(/#[^\n]*|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([{};])|([^\s{};"']+)/g)]
    .filter((found) => !found[0].startsWith('#'))
    .map((found) => ({ mark: found[3], word: found[1] ?? found[2] ?? found[4] ?? '' }))
  let position = 0
  const readBlock = (nested: boolean): Directive[] => {
    const directives: Directive[] = []
    let words: string[] = []
    while (position < tokens.length) {
      const token = tokens[position++]
      if (token?.mark === undefined) words.push(token?.word ?? '')
      else if (token.mark === '}') {
        if (!nested) throw new TwinError('TWIN_USAGE', `${CONFIG_PATH}: unexpected "}"`)
        return directives
      } else {
        const [name = '', ...rest] = words
        words = []
        const block = token.mark === '{' ? readBlock(true) : undefined
        if (name === 'include') directives.push(...included(rest[0] ?? '', files, depth))
        else directives.push({ name, words: rest, block })
      }
    }
    if (nested) throw new TwinError('TWIN_USAGE', `${CONFIG_PATH}: unexpected end of file, expecting "}"`)
    return directives
  }
  return readBlock(false)
}

function included(pattern: string, files: Readonly<Record<string, string>>, depth: number): readonly Directive[] {
  if (depth >= INCLUDE_DEPTH) throw new TwinError('TWIN_USAGE', `${CONFIG_PATH}: includes are nested too deep`)
  const expression = new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*')}$`)
  return Object.keys(files)
    .filter((path) => expression.test(path))
    .toSorted()
    .flatMap((path) => parseConfig(files[path] ?? '', files, depth + 1))
}
