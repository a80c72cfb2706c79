import { parseUrl, queryEscape, resolveReference, urlText, withPassword } from '../../lib/golang/index.ts'
import { exchange, type Effect, type HttpOutcome, type HttpRequest, type Plan } from './effects.ts'
import { StepFailed } from './failure.ts'

/** After so many requests Go follows no further redirect. */
const REDIRECTS_MAX = 10

/** An effect that is one HTTP request. */
type Exchange = Extract<Effect, { effect: 'query' | 'webhook' | 'alert' }>

/**
 * Makes a request as Go's http.Client does: 307 and 308 repeat it elsewhere, 301 to 303 become a GET without body.
 * @param effectOf - the effect of one attempt
 * @see Go net/http client.go 1.26
 */
export function* requested(first: HttpRequest, effectOf: (request: HttpRequest) => Exchange): Plan<HttpOutcome> {
  let request = first
  let location = ''
  for (let redirects = 0; redirects < REDIRECTS_MAX; redirects++) {
    const outcome = unusableUrl(request.url) ?? (yield* exchange(effectOf(request)))
    if (!outcome.ok) return redirects === 0 ? outcome : { ...outcome, url: request.url }
    location = outcome.headers['location'] ?? ''
    if (location === '' || !isRedirect(outcome.status)) return outcome
    const url = target(request.url, location)
    if (typeof url !== 'string') return { ...url, url: request.url }
    request = redirected(request, url, outcome.status)
  }
  return { ok: false, error: `stopped after ${REDIRECTS_MAX} redirects`, retriable: false, url: location }
}

type Failure = Extract<HttpOutcome, { ok: false }>

/**
 * Go's url.Error of a request: `Post "<url>": <error>`; a password is not shown. After redirects the method is that of the first
 * request, the URL that of the last.
 */
export function transportError({ method, url }: Pick<HttpRequest, 'method' | 'url'>, failure: Failure): string {
  return `${method === 'POST' ? 'Post' : 'Get'} "${withMaskedPassword(failure.url ?? url, '***')}": ${failure.error}`
}

/** A URL's text with its password, if any, replaced. */
export function withMaskedPassword(text: string, mask: string): string {
  const parsed = parseUrl(text)
  if (!parsed.ok || parsed.url.user?.password === undefined) return text
  // Go writes the mask as it stands.
  return urlText(withPassword(parsed.url, 'mask')).replace(':mask@', `:${mask}@`)
}

/** An address with parameters, sorted by name, in place of its own. @throws StepFailed for an address that is no URL */
export function withQuery(address: string, parameters: Readonly<Record<string, string>>): string {
  const parsed = parseUrl(address)
  if (!parsed.ok) throw new StepFailed(`error http.NewRequest: ${parsed.error}`)
  return urlText({ ...parsed.url, query: encodedQuery(parameters) })
}

/** Parameters as Go's url.Values encodes them. */
export function encodedQuery(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, value]) => `${queryEscape(name)}=${queryEscape(value)}`)
    .join('&')
}

/** What Go's client says about a URL before it connects. */
function unusableUrl(text: string): Failure | undefined {
  const parsed = parseUrl(text)
  if (!parsed.ok) return { ok: false, error: parsed.error, retriable: false }
  const { scheme, host } = parsed.url
  if (scheme !== 'http' && scheme !== 'https')
    return { ok: false, error: `unsupported protocol scheme "${scheme}"`, retriable: false }
  return host === '' ? { ok: false, error: 'http: no Host in request URL' } : undefined
}

function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308
}

function target(base: string, location: string): string | Failure {
  const [from, to] = [parseUrl(base), parseUrl(location)]
  if (!to.ok) return { ok: false, error: `failed to parse Location header ${JSON.stringify(location)}: ${to.error}` }
  return from.ok ? urlText(resolveReference(from.url, to.url)) : location
}

function redirected(request: HttpRequest, url: string, status: number): HttpRequest {
  if (status === 307 || status === 308) return { ...request, url }
  const { body: _body, ...rest } = request
  return { ...rest, method: 'GET', url }
}
