import { parseDuration } from '../../lib/golang/index.ts'
import type { Canary, CanaryStatus, SessionAffinity } from '../../kinds/index.ts'
import { randomText, type Plan } from './effects.ts'
import { StepFailed } from './failure.ts'
import type { Quirks } from './quirks.ts'
import { statusOf } from './spec.ts'

const DEFAULT_MAX_AGE_SECONDS = 86_400

/** Session cookies of one write of the routes. */
export interface SessionCookies {
  /** `<name>=<value>` of the running analysis; absent when the canary gets no traffic. */
  readonly canary?: string
  readonly primary?: string
  /** Cookie of the run before, to be deleted in browsers. */
  readonly previous?: string
}

/**
 * Makes, keeps or retires the session cookies. They live in the canary in memory until its status is written next.
 * @param withPrimary - whether the router knows a primary cookie
 * @see fluxcd/flagger pkg/router/gateway_api.go getSessionAffinityRouteRules 1.44.0
 */
export function* sessionCookies(
  canary: Canary,
  affinity: SessionAffinity,
  canaryWeight: number,
  options: { readonly quirks: Quirks; readonly withPrimary: boolean }
): Plan<SessionCookies> {
  const status = { ...statusOf(canary) }
  canary.status = status
  if (canaryWeight === 0) return retire(status)
  status.sessionAffinityCookie ||= `${affinity.cookieName}=${yield* randomText('letters')}`
  const primaryName = affinity.primaryCookieName ?? ''
  const records = options.withPrimary && (primaryName !== '' || options.quirks['primary-cookie-without-name'])
  if (records) status.primarySessionAffinityCookie ||= `${primaryName}=${yield* randomText('letters')}`
  const primary = options.withPrimary && primaryName !== '' ? status.primarySessionAffinityCookie : undefined
  return { canary: status.sessionAffinityCookie, ...(primary === undefined ? {} : { primary }) }
}

/** Value of Set-Cookie for the canary's cookie. */
export function canarySetCookie(affinity: SessionAffinity, cookie: string): string {
  return setCookie(affinity, cookie, affinity.maxAge || DEFAULT_MAX_AGE_SECONDS)
}

/**
 * Value of Set-Cookie for the primary's cookie, which lives for one interval.
 * @throws StepFailed when the interval cannot be parsed
 */
export function primarySetCookie(canary: Canary, affinity: SessionAffinity, cookie: string): string {
  const interval = parseDuration(canary.spec.analysis.interval ?? '')
  if (!interval.ok) throw new StepFailed(`failed to parse canary interval: ${interval.error}`)
  return setCookie(affinity, cookie, Math.trunc(interval.ms / 1000))
}

/** Value of Set-Cookie that deletes a cookie. */
export function deletedCookie(cookie: string): string {
  return `${cookie}; Max-Age=-1`
}

/** Regular expression that finds a cookie in a Cookie header. */
export function cookiePattern(cookie: string): string {
  const [name = '', value = ''] = cookie.split('=')
  return `.*${name}.*${value}.*`
}

function retire(status: CanaryStatus): SessionCookies {
  if (status.sessionAffinityCookie) status.previousSessionAffinityCookie = status.sessionAffinityCookie
  delete status.sessionAffinityCookie
  const previous = status.previousSessionAffinityCookie
  return previous ? { previous } : {}
}

function setCookie(affinity: SessionAffinity, cookie: string, maxAgeSeconds: number): string {
  return [
    cookie,
    `Max-Age=${maxAgeSeconds}`,
    ...(affinity.domain ? [`Domain=${affinity.domain}`] : []),
    ...(affinity.httpOnly === true ? ['HttpOnly'] : []),
    ...(affinity.partitioned === true ? ['Partitioned'] : []),
    ...(affinity.path ? [`Path=${affinity.path}`] : []),
    ...(affinity.sameSite ? [`SameSite=${affinity.sameSite}`] : []),
    ...(affinity.secure === true ? ['Secure'] : [])
  ].join('; ')
}
