import { type AppAnswer, respond } from './plan.ts'

/** A header name as Go writes it: `x-test` becomes `X-Test`. */
export function canonicalHeader(name: string): string {
  return name
    .toLowerCase()
    .replace(/(^|-)([a-z])/g, (_whole, dash: string, letter: string) => dash + letter.toUpperCase())
}

/** JSON as Go's encoder writes it, indented by two spaces: HTML characters escaped. */
export function goJson(value: unknown): string {
  return JSON.stringify(value, undefined, 2).replace(/[<>&\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** An answer of podinfo's JSON writer. */
export function jsonAnswer(value: unknown, status = 200): AppAnswer {
  const headers = { 'Content-Type': 'application/json; charset=utf-8', 'X-Content-Type-Options': 'nosniff' }
  return respond(status, headers, status === 204 || status === 304 ? '' : goJson(value))
}

/** The envelope of podinfo's handler errors: HTTP 200 with the code that was meant. */
export function errorAnswer(code: number, message: string): AppAnswer {
  return jsonAnswer({ code, message })
}

/** What Go's `http.Error` writes. */
export function textError(status: number, text: string): AppAnswer {
  const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' }
  return respond(status, headers, text)
}

/** Content type Go gives a body without one; undefined for an empty body. */
export function sniffContentType(body: string): string | undefined {
  if (body === '') return undefined
  if (/^\s*<(!doctype html|html|head|body|script|iframe|h1|div|font|table|a|style|title|b|br|p|!--)[\s>]/i.test(body)) {
    return 'text/html; charset=utf-8'
  }
  // oxlint-disable-next-line no-control-regex -- Go calls exactly these bytes binary
  return /[\u0000-\u0008\u000b\u000e-\u001a\u001c-\u001f]/.test(body)
    ? 'application/octet-stream'
    : 'text/plain; charset=utf-8'
}

/** Text with the five special characters of HTML escaped. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
