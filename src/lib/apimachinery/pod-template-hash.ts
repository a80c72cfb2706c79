import { stableStringify } from './json.ts'

const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193
/** Code of the character `0`. */
const DIGIT_ZERO = 48

/** Characters that spell no words (apimachinery `rand.SafeEncodeString`). */
const SAFE_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'

/**
 * FNV-1a hash of a text's UTF-8 bytes, 32 bit.
 * @param text - any text
 */
export function fnv1a32(text: string): number {
  const bytes = Buffer.from(text, 'utf8')
  let hash = FNV_OFFSET
  for (let index = 0; index < bytes.length; index++) hash = Math.imul(hash ^ (bytes[index] ?? 0), FNV_PRIME)
  return hash >>> 0
}

/**
 * FNV-1a hashes of one text behind each of the digits 0, 1, …: what hashing every such text by itself gives, in one pass.
 * @param count - number of digits, 10 at most
 * @param text - any text
 */
export function fnv1a32Numbered(count: number, text: string): Uint32Array {
  const bytes = Buffer.from(text, 'utf8')
  const hashes = new Uint32Array(count)
  for (let part = 0; part < count; part++) hashes[part] = Math.imul(FNV_OFFSET ^ (DIGIT_ZERO + part), FNV_PRIME)
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0
    for (let part = 0; part < count; part++) hashes[part] = Math.imul((hashes[part] ?? 0) ^ byte, FNV_PRIME)
  }
  return hashes
}

/**
 * Replaces each character by one of an alphabet without vowels, as names of ReplicaSets have it.
 * @param text - ASCII
 */
function safeEncode(text: string): string {
  let encoded = ''
  for (let index = 0; index < text.length; index++)
    encoded += SAFE_ALPHABET.charAt(text.charCodeAt(index) % SAFE_ALPHABET.length)
  return encoded
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
