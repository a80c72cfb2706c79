import { keptByText } from '../memory/index.ts'
import { quote } from './quote.ts'
import { escape, EscapeProblem, latin1, unescape, utf8 } from './url-escape.ts'

/** A parsed URL, with the parts Go keeps. Texts hold one character per byte. */
export interface GoUrl {
  readonly scheme: string
  readonly opaque: string
  readonly user: { readonly name: string; readonly password: string | undefined } | undefined
  readonly host: string
  readonly path: string
  /** The path as given, where its usual encoding differs. */
  readonly rawPath: string
  readonly query: string
  readonly forceQuery: boolean
  readonly omitHost: boolean
  readonly fragment: string
}

/** A URL, or why a text is none. */
export type ParsedUrl = { readonly ok: true; readonly url: GoUrl } | { readonly ok: false; readonly error: string }

const EMPTY: GoUrl = {
  scheme: '',
  opaque: '',
  user: undefined,
  host: '',
  path: '',
  rawPath: '',
  query: '',
  forceQuery: false,
  omitHost: false,
  fragment: ''
}

/**
 * Parses a URL with the error of Go's library; what a fragment has to say is kept as it stands.
 * @see Go net/url.Parse 1.26
 */
export function parseUrl(text: string): ParsedUrl {
  return parsedUrl(text)
}

/** Most URLs that are kept. */
const URLS_MAX = 500

/** The same addresses and queries are parsed again and again. */
const parsedUrl = keptByText(URLS_MAX, (text): ParsedUrl => {
  const [withoutFragment = '', ...fragment] = latin1(text).split('#')
  return parsed(withoutFragment, false, { fragment: fragment.join('#') })
})

/**
 * Parses the URL of a request: absolute, or a path.
 * @see Go net/url.ParseRequestURI 1.26
 */
export function parseRequestUri(text: string): ParsedUrl {
  return parsed(latin1(text), true, {})
}

/** The text of a URL. */
export function urlText(url: GoUrl): string {
  const known = textsOfUrls.get(url)
  if (known !== undefined) return known
  const text = joined(url)
  textsOfUrls.set(url, text)
  return text
}

/** Parsed URLs are kept, and so is what they are written as. */
const textsOfUrls = new WeakMap<GoUrl, string>()

function joined(url: GoUrl): string {
  const { scheme, opaque, user, host, path, query, forceQuery, omitHost, fragment } = url
  const start = scheme === '' ? '' : `${scheme}:`
  const tail = `${forceQuery || query !== '' ? `?${query}` : ''}${fragment === '' ? '' : `#${fragment}`}`
  if (opaque !== '') return utf8(`${start}${opaque}${tail}`)
  const hasAuthority = (scheme !== '' || host !== '' || user !== undefined) && !(omitHost && host === '' && !user)
  const authority =
    hasAuthority && (host !== '' || path !== '' || user !== undefined)
      ? `//${userText(user)}${escape(host, 'host')}`
      : ''
  const encoded = escapedPath(url)
  const slash = encoded !== '' && !encoded.startsWith('/') && host !== '' ? '/' : ''
  const dot = start === '' && authority === '' && /^[^/]*:/.test(encoded) ? './' : ''
  return utf8(`${start}${authority}${slash}${dot}${encoded}${tail}`)
}

/** The same URL with another password; unchanged where it has none. */
export function withPassword(url: GoUrl, password: string): GoUrl {
  return url.user?.password === undefined ? url : { ...url, user: { ...url.user, password } }
}

/**
 * A reference seen from a base.
 * @see Go net/url.URL.ResolveReference 1.26
 */
export function resolveReference(base: GoUrl, reference: GoUrl): GoUrl {
  const scheme = reference.scheme === '' ? base.scheme : reference.scheme
  if (reference.scheme !== '' || reference.host !== '' || reference.user !== undefined)
    return withPath({ ...reference, scheme }, resolvedPath(escapedPath(reference), ''))
  if (reference.opaque !== '') return { ...reference, scheme, user: undefined, host: '', path: '' }
  const bare = reference.path === '' && !reference.forceQuery && reference.query === ''
  const query = bare ? base.query : reference.query
  const fragment = bare && reference.fragment === '' ? base.fragment : reference.fragment
  if (reference.path === '' && base.opaque !== '')
    return { ...EMPTY, scheme, opaque: base.opaque, query, fragment, forceQuery: reference.forceQuery }
  const { user, host } = base
  const path = resolvedPath(escapedPath(base), escapedPath(reference))
  return withPath({ ...reference, scheme, user, host, query, fragment }, path)
}

/** Path of a URL with another one joined on, as Go's path.Join. */
export function joinPaths(first: string, second: string): string {
  const joined = [first, second].filter((part) => part !== '').join('/')
  if (joined === '') return ''
  const rooted = joined.startsWith('/')
  const kept: string[] = []
  for (const part of joined.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') kept.push(part)
    else if (kept.length > 0 && kept.at(-1) !== '..') kept.pop()
    else if (!rooted) kept.push('..')
  }
  return `${rooted ? '/' : ''}${kept.join('/')}` || '.'
}

class UrlProblem extends Error {}

function parsed(raw: string, viaRequest: boolean, extra: Partial<GoUrl>): ParsedUrl {
  try {
    return { ok: true, url: { ...read(raw, viaRequest), ...extra } }
  } catch (error) {
    if (!(error instanceof UrlProblem) && !(error instanceof EscapeProblem)) throw error
    return { ok: false, error: `parse ${quote(utf8(raw))}: ${error.message}` }
  }
}

function read(raw: string, viaRequest: boolean): GoUrl {
  // oxlint-disable-next-line no-control-regex -- these are what is meant
  if (/[\u0000-\u001f\u007f]/.test(raw)) throw new UrlProblem('net/url: invalid control character in URL')
  if (raw === '' && viaRequest) throw new UrlProblem('empty url')
  if (raw === '*') return { ...EMPTY, path: '*' }
  if (raw.startsWith(':')) throw new UrlProblem('missing protocol scheme')
  const [, schemeText = '', afterScheme = raw] = /^([a-z][a-z0-9+.-]*):([\s\S]*)$/i.exec(raw) ?? []
  const scheme = schemeText.toLowerCase()
  const mark = afterScheme.indexOf('?')
  const forceQuery = mark >= 0 && mark === afterScheme.length - 1
  const rest = mark < 0 ? afterScheme : afterScheme.slice(0, mark)
  const start = { ...EMPTY, scheme, forceQuery, query: mark < 0 ? '' : afterScheme.slice(mark + 1) }
  if (!rest.startsWith('/')) {
    if (scheme !== '') return { ...start, opaque: rest }
    if (viaRequest) throw new UrlProblem('invalid URI for request')
    if (/^[^/]*:/.test(rest)) throw new UrlProblem('first path segment in URL cannot contain colon')
  }
  const hasAuthority = rest.startsWith('//') && (scheme !== '' || (!viaRequest && !rest.startsWith('///')))
  if (!hasAuthority) return withPath({ ...start, omitHost: scheme !== '' && rest.startsWith('/') }, rest)
  const slash = rest.indexOf('/', 2)
  const authority = rest.slice(2, slash < 0 ? undefined : slash)
  return withPath({ ...start, ...readAuthority(scheme, authority) }, slash < 0 ? '' : rest.slice(slash))
}

function readAuthority(scheme: string, authority: string): Pick<GoUrl, 'user' | 'host'> {
  const at = authority.lastIndexOf('@')
  const host = readHost(scheme, authority.slice(at + 1))
  if (at < 0) return { user: undefined, host }
  const userinfo = authority.slice(0, at)
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%]*$/.test(userinfo)) throw new UrlProblem('net/url: invalid userinfo')
  const colon = userinfo.indexOf(':')
  const name = unescape(colon < 0 ? userinfo : userinfo.slice(0, colon), 'user')
  return { user: { name, password: colon < 0 ? undefined : unescape(userinfo.slice(colon + 1), 'user') }, host }
}

function readHost(scheme: string, host: string): string {
  const open = host.lastIndexOf('[')
  if (open > 0) throw new UrlProblem('invalid IP-literal')
  const close = host.lastIndexOf(']')
  if (open === 0 && close < 0) throw new UrlProblem("missing ']' in host")
  const strict = scheme === 'http' || scheme === 'https'
  const colon = open === 0 ? close + 1 : strict ? host.indexOf(':') : host.lastIndexOf(':')
  const port = colon < 0 ? '' : host.slice(colon)
  if (!/^(?::\d*)?$/.test(port)) throw new UrlProblem(`invalid port ${quote(utf8(port))} after host`)
  return open === 0 ? host : unescape(host, 'host')
}

function withPath(url: GoUrl, encoded: string): GoUrl {
  const path = unescape(encoded, 'path')
  return { ...url, path, rawPath: escape(path, 'path') === encoded ? '' : encoded }
}

function escapedPath({ path, rawPath }: GoUrl): string {
  if (rawPath !== '' && /^[A-Za-z0-9\-._~!$&'()*+,;=:@%[\]/]*$/.test(rawPath) && unescape(rawPath, 'path') === path)
    return rawPath
  return path === '*' ? '*' : escape(path, 'path')
}

function resolvedPath(base: string, reference: string): string {
  const full =
    reference === ''
      ? base
      : reference.startsWith('/')
        ? reference
        : base.slice(0, base.lastIndexOf('/') + 1) + reference
  if (full === '') return ''
  const kept: string[] = []
  const parts = full.split('/')
  for (const [index, part] of parts.entries()) {
    if (part === '.' || (part === '' && index === 0)) continue
    if (part === '..') kept.pop()
    else kept.push(part)
  }
  const last = parts.at(-1)
  const path = `/${kept.join('/')}${(last === '.' || last === '..') && kept.length > 0 ? '/' : ''}`
  return path.startsWith('//') ? path.slice(1) : path
}

function userText(user: GoUrl['user']): string {
  if (user === undefined) return ''
  return `${escape(user.name, 'user')}${user.password === undefined ? '' : `:${escape(user.password, 'user')}`}@`
}
