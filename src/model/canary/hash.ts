import { keptByText } from '../../lib/memory/index.ts'

/** Safe alphabet of Kubernetes: each decimal digit 0…9 becomes one of these. */
const SAFE_DIGITS = '456789bcdf'

/** FNV-1a, 32 bits, over the UTF-8 bytes of a text. */
function fnv1a32(text: string): number {
  const bytes = Buffer.from(text, 'utf8')
  let hash = 0x811c9dc5
  for (let at = 0; at < bytes.length; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193)
  return hash >>> 0
}

/** Hash of a text in Kubernetes' safe encoding, as Flagger prints every hash. */
export function safeHash(text: string): string {
  let safe = ''
  for (const digit of String(fnv1a32(text))) safe += SAFE_DIGITS[Number(digit)] ?? ''
  return safe
}

/**
 * Hash of a target's spec. Flagger hashes go-spew's rendering of the linked Go structs, which no other program can
 * reproduce; here it is the canonical JSON: stable, and different whenever the content differs.
 * @see fluxcd/flagger pkg/canary/spec.go ComputeHash 1.44.0
 */
export function specHash(spec: unknown): string {
  if (typeof spec !== 'object' || spec === null || !Object.isFrozen(spec)) return safeHash(canonicalJson(spec))
  const known = hashesOfStored.get(spec) ?? safeHash(canonicalJson(spec))
  hashesOfStored.set(spec, known)
  return known
}

/** What is stored is frozen throughout and does not change: the hash of one holds as long as it does. */
const hashesOfStored = new WeakMap<object, string>()

/**
 * The checksum of a webhook payload, exactly as Flagger computes it from the two status fields.
 * @see fluxcd/flagger pkg/controller/webhook.go canaryChecksum 1.44.0
 */
export function statusChecksum(
  trackedConfigs: Readonly<Record<string, string>> | undefined,
  lastAppliedSpec: string
): string {
  const configs = trackedConfigs === undefined ? '<nil>' : `map[${goMap(trackedConfigs)}]`
  const text = `{TrackedConfigs:(*map[string]string)${configs} LastAppliedSpec:(string)${lastAppliedSpec}}`
  if (text !== lastChecked.text) lastChecked = { text, checksum: safeHash(STATUS_TYPE + text) }
  return lastChecked.checksum
}

const STATUS_TYPE = '(struct { TrackedConfigs *map[string]string; LastAppliedSpec string })'

/** What was asked last: every hook and event of a tick tells the same checksum. */
let lastChecked: { readonly text: string; readonly checksum: string } = { text: '', checksum: '' }

function goMap(entries: Readonly<Record<string, string>>): string {
  const keys = Object.keys(entries).sort()
  return keys.map((key) => `${key}:${entries[key] ?? ''}`).join(' ')
}

/** JSON with sorted keys. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value === 'string') return quoted(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null)
  const fields = value as Readonly<Record<string, unknown>>
  let text = ''
  for (const key of Object.keys(fields).sort()) {
    const entry = fields[key]
    if (entry !== undefined) text += `${text === '' ? '' : ','}${quoted(key)}:${canonicalJson(entry)}`
  }
  return `{${text}}`
}

/** Most texts whose JSON is kept. */
const QUOTED_MAX = 1000

/** Field names and most values come again and again. */
const quoted = keptByText(QUOTED_MAX, (text): string => JSON.stringify(text))
