import { fnv1a32, stableStringify } from '../../lib/apimachinery/index.ts'

/** Safe alphabet of Kubernetes: each decimal digit 0…9 becomes one of these. */
const SAFE_DIGITS = '456789bcdf'

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
  if (typeof spec !== 'object' || spec === null || !Object.isFrozen(spec)) return safeHash(stableStringify(spec))
  const known = hashesOfStored.get(spec) ?? safeHash(stableStringify(spec))
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
