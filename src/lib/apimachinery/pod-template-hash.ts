import { stableStringify } from './json.ts'

const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193

/** Characters that spell no words (apimachinery `rand.SafeEncodeString`). */
const SAFE_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'

/**
 * FNV-1a hash of a text's UTF-8 bytes, 32 bit.
 * @param text - any text
 */
export function fnv1a32(text: string): number {
  let hash = FNV_OFFSET
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code > 0x7f) return hashBytes(Buffer.from(text, 'utf8'))
    hash = Math.imul(hash ^ code, FNV_PRIME)
  }
  return hash >>> 0
}

function hashBytes(bytes: Uint8Array): number {
  let hash = FNV_OFFSET
  for (const byte of bytes) hash = Math.imul(hash ^ byte, FNV_PRIME)
  return hash >>> 0
}

/**
 * Replaces each character by one of an alphabet without vowels, as names of ReplicaSets have it.
 * @param text - any text, usually decimal digits
 */
export function safeEncode(text: string): string {
  return [...text].map((char) => SAFE_ALPHABET.charAt((char.codePointAt(0) ?? 0) % SAFE_ALPHABET.length)).join('')
}

/**
 * Hash of an object for labels such as `pod-template-hash`: FNV-1a over sorted JSON, safe-encoded. Kubernetes hashes Go's
 * own dump of the struct instead, so the values differ from a cluster's; their form and stability do not.
 * @param value - the pod template
 * @param collisionCount - raised by the Deployment controller on a collision; default none
 */
export function hashObject(value: unknown, collisionCount?: number): string {
  const suffix = collisionCount === undefined ? '' : `#${collisionCount}`
  return safeEncode(String(fnv1a32(stableStringify(value) + suffix)))
}
