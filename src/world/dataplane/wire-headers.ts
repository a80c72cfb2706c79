/**
 * Headers that only the twin's own parts write and read; nothing of them reaches an app or a client.
 */

/** Id of the hold that the request's work is done under. */
export const HOLD_HEADER = 'x-twin-hold'
/** Identity of the request over all hops: its draws are keyed by it. */
export const KEY_HEADER = 'x-twin-key'
/** Port of the pod the request is meant for. */
export const PORT_HEADER = 'x-twin-port'
/** Mesh identity of the caller, as mutual TLS would prove it. */
export const CLIENT_HEADER = 'x-twin-client-id'
/** What the client called where that is not its Host header. */
export const TARGET_HEADER = 'x-twin-target'
/** On an answer: why a client without a proxy (or any client, for a name) got no answer: `refused`, `unresolved`. */
export const ERROR_HEADER = 'x-twin-error'

const PREFIX = 'x-twin-'

/** Names and values of raw headers without those of the twin. */
export function foreignHeaders(rawHeaders: readonly string[]): (readonly [string, string])[] {
  const headers: (readonly [string, string])[] = []
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (name.length > PREFIX.length && name.slice(0, PREFIX.length).toLowerCase() === PREFIX) continue
    headers.push([name, rawHeaders[index + 1] ?? ''])
  }
  return headers
}
