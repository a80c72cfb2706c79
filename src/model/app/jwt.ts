import { createHmac } from 'node:crypto'
import type { Instant } from '../../lib/time/index.ts'

/** A token of podinfo: HS256, issuer podinfo, the posted name, valid for a minute. */
export function signToken(name: string, expiresAt: Instant, secret: string): string {
  const head = encode({ alg: 'HS256', typ: 'JWT' })
  const claims = encode({ name, iss: 'podinfo', exp: Math.floor(expiresAt / 1000) })
  return `${head}.${claims}.${signature(`${head}.${claims}`, secret)}`
}

/** What a token says, or why it is refused in the words of the Go library. */
export type TokenVerdict =
  | { readonly ok: true; readonly name: string; readonly expiresAt: Instant }
  | { readonly ok: false; readonly message: string }

/** Checks a token. @param malformedPrefix - text the library of podinfo 6.0 to 6.3.2 put in front */
export function verifyToken(token: string, secret: string, now: Instant, malformedPrefix: string): TokenVerdict {
  const parts = token.split('.')
  if (parts.length !== 3) return refuse(`${malformedPrefix}token contains an invalid number of segments`)
  const [head = '', body = '', signed = ''] = parts
  const claims = decode(body)
  if (decode(head) === undefined || claims === undefined) return refuse('illegal base64 data at input byte 0')
  if (signature(`${head}.${body}`, secret) !== signed) return refuse('signature is invalid')
  const expiresAt = Number(claims['exp'] ?? 0) * 1000
  if (expiresAt <= now) return refuse(`token is expired by ${Math.ceil((now - expiresAt) / 1000)}s`)
  if (claims['iss'] !== 'podinfo') return refuse('invalid issuer')
  return { ok: true, name: String(claims['name'] ?? ''), expiresAt }
}

function refuse(message: string): TokenVerdict {
  return { ok: false, message }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decode(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function signature(text: string, secret: string): string {
  return createHmac('sha256', secret).update(text).digest('base64url')
}
