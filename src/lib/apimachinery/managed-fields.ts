import { FieldSet, decodeFieldSet, encodeFieldSet, fieldPathText, fieldStep } from './field-set.ts'
import { recordApply, recordUpdate, type FieldConflict, type Ownership } from './field-ownership.ts'
import { compareText, deepEqual, isJsonMap, type JsonMap } from './json.ts'
import type { MergeType } from './merge-type.ts'
import type { StatusCause } from './status.ts'
import { compareTyped, typedFieldSet } from './typed-value.ts'

/** One entry of `metadata.managedFields`. */
export interface ManagedFieldsEntry {
  manager: string
  operation: 'Apply' | 'Update'
  apiVersion: string
  time?: string
  fieldsType: 'FieldsV1'
  fieldsV1: JsonMap
  subresource?: string
}

/** Who writes, when and through which door. */
export interface FieldWriter {
  readonly manager: string
  /** Version the request is made in, e.g. `apps/v1`. */
  readonly apiVersion: string
  /** RFC 3339 in whole seconds. */
  readonly now: string
  /** `status`, `scale`, …; absent on the main resource. */
  readonly subresource?: string | undefined
  /** Fields the strategy of the resource resets, see {@link resetFieldSet}. */
  readonly ignored?: FieldSet | undefined
}

/** Input of {@link trackUpdate}. */
export interface TrackUpdateInput extends FieldWriter {
  /** Stored object; undefined on create. */
  readonly live: JsonMap | undefined
  /** Object about to be stored, defaulted. */
  readonly next: JsonMap
  readonly type: MergeType
}

/** Input of {@link serverSideApply}. */
export interface ApplyInput extends FieldWriter {
  /** Stored object; undefined: the apply creates one. */
  readonly live: JsonMap | undefined
  /** Applied configuration as sent. */
  readonly config: JsonMap
  readonly type: MergeType
  readonly force: boolean
}

/** What became of an apply. */
export type ApplyOutcome =
  | {
      readonly ok: true
      /** Merged object with its managedFields; still to be defaulted and validated. */
      readonly object: JsonMap
      /** Whether anything but managedFields differs from the stored object. */
      readonly changed: boolean
    }
  | {
      readonly ok: false
      readonly kind: 'conflict'
      /** `Apply failed with 1 conflict: conflict with "x": .spec.replicas`; status 409, reason Conflict. */
      readonly message: string
      readonly causes: readonly StatusCause[]
    }
  | {
      readonly ok: false
      /** The configuration does not fit the schema; the API server answers 500 with the message. */
      readonly kind: 'typed'
      readonly message: string
    }

/** Identity of a manager: what distinguishes entries. */
interface Identity {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource: string
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** Fields nobody owns (apimachinery `managedfields` stripMeta). */
export const UNOWNED: FieldSet = resetFieldSet([
  ['apiVersion'],
  ['kind'],
  ['metadata'],
  ...'name namespace creationTimestamp selfLink uid clusterName generation managedFields resourceVersion'
    .split(' ')
    .map((field) => ['metadata', field])
])

/**
 * A set of paths of plain fields.
 * @param paths - names of fields from the root, e.g. `[['status']]`
 */
export function resetFieldSet(paths: readonly (readonly string[])[]): FieldSet {
  const set = new FieldSet()
  for (const path of paths) set.insert(path.map(fieldStep))
  return set
}

function encodeIdentity(identity: Identity): string {
  // Appliers are one whatever version they apply in.
  return JSON.stringify([
    identity.manager,
    identity.operation,
    identity.operation === 'Apply' ? '' : identity.apiVersion,
    identity.subresource
  ])
}

function decodeIdentity(text: string): Identity {
  const parts: unknown = JSON.parse(text)
  const [manager = '', operation = '', apiVersion = '', subresource = ''] = Array.isArray(parts)
    ? parts.map(String)
    : []
  return { manager, operation: operation === 'Apply' ? 'Apply' : 'Update', apiVersion, subresource }
}

/** Owners, times and versions read from entries. */
interface Ledger {
  readonly owners: Map<string, FieldSet>
  /** Entries as they were read, for those that do not change. */
  readonly stored: Map<string, { readonly set: FieldSet; readonly entry: JsonMap }>
  readonly times: Map<string, string>
  readonly versions: Map<string, string>
}

function readLedger(entries: readonly unknown[]): Ledger {
  const ledger: Ledger = { owners: new Map(), stored: new Map(), times: new Map(), versions: new Map() }
  for (const entry of entries) {
    if (!isJsonMap(entry)) continue
    const identity = encodeIdentity({
      manager: String(entry['manager'] ?? ''),
      operation: entry['operation'] === 'Apply' ? 'Apply' : 'Update',
      apiVersion: String(entry['apiVersion'] ?? ''),
      subresource: String(entry['subresource'] ?? '')
    })
    const set = decodeStored(entry['fieldsV1'])
    ledger.owners.set(identity, set)
    ledger.stored.set(identity, { set, entry })
    ledger.versions.set(identity, String(entry['apiVersion'] ?? ''))
    if (typeof entry['time'] === 'string') ledger.times.set(identity, entry['time'])
  }
  return ledger
}

/** Field sets of frozen entries: stored objects hand the same entries on from write to write. */
const DECODED = new WeakMap<object, FieldSet>()

function decodeStored(fieldsV1: unknown): FieldSet {
  if (!isJsonMap(fieldsV1) || !Object.isFrozen(fieldsV1)) return decodeFieldSet(fieldsV1)
  const known = DECODED.get(fieldsV1)
  if (known !== undefined) return known
  const set = decodeFieldSet(fieldsV1)
  DECODED.set(fieldsV1, set)
  return set
}

function unchangedEntry(identity: string, set: FieldSet, ledger: Ledger): ManagedFieldsEntry | undefined {
  const stored = ledger.stored.get(identity)
  if (stored === undefined || stored.set !== set || !Object.isFrozen(stored.entry)) return undefined
  const same =
    stored.entry['time'] === ledger.times.get(identity) && stored.entry['apiVersion'] === ledger.versions.get(identity)
  return same ? (stored.entry as unknown as ManagedFieldsEntry) : undefined
}

function writeLedger(owners: Ownership, ledger: Ledger): ManagedFieldsEntry[] {
  const entries: ManagedFieldsEntry[] = []
  for (const [text, set] of owners) {
    const unchanged = unchangedEntry(text, set, ledger)
    if (unchanged !== undefined) {
      entries.push(unchanged)
      continue
    }
    const kept = set.difference(UNOWNED)
    if (kept.isEmpty) continue
    const identity = decodeIdentity(text)
    const time = ledger.times.get(text)
    entries.push({
      manager: identity.manager,
      operation: identity.operation,
      apiVersion: ledger.versions.get(text) ?? identity.apiVersion,
      ...(time === undefined ? {} : { time }),
      fieldsType: 'FieldsV1',
      fieldsV1: encodeFieldSet(kept),
      ...(identity.subresource === '' ? {} : { subresource: identity.subresource })
    })
  }
  return entries.sort(compareEntries)
}

function compareEntries(left: ManagedFieldsEntry, right: ManagedFieldsEntry): number {
  return (
    compareText(left.operation, right.operation) ||
    compareText(left.time ?? '', right.time ?? '') ||
    compareText(left.manager, right.manager) ||
    compareText(left.apiVersion, right.apiVersion) ||
    compareText(left.subresource ?? '', right.subresource ?? '')
  )
}

function entriesOf(object: JsonMap | undefined): readonly unknown[] {
  const metadata = object?.['metadata']
  const entries = isJsonMap(metadata) ? metadata['managedFields'] : undefined
  return Array.isArray(entries) ? entries : []
}

function withoutEntries(object: JsonMap): JsonMap {
  const metadata = object['metadata']
  if (!isJsonMap(metadata) || metadata['managedFields'] === undefined) return object
  const { managedFields: _dropped, ...rest } = metadata
  return { ...object, metadata: rest }
}

function withEntries(object: JsonMap, entries: readonly ManagedFieldsEntry[]): JsonMap {
  const bare = withoutEntries(object)
  if (entries.length === 0) return bare
  const metadata = isJsonMap(bare['metadata']) ? bare['metadata'] : {}
  return { ...bare, metadata: { ...metadata, managedFields: entries } }
}

/**
 * Computes `metadata.managedFields` after a create, update or patch.
 * Entries a client sends replace the stored ones; a single empty entry clears them; none leaves them alone.
 * @param input - objects, type and writer
 * @returns the object to store
 */
export function trackUpdate(input: TrackUpdateInput): JsonMap {
  return withEntries(input.next, trackedEntries(input))
}

/**
 * The entries of {@link trackUpdate}; none where the object is to have no `managedFields`.
 * @param input - objects, type and writer
 */
export function trackedEntries(input: TrackUpdateInput): readonly ManagedFieldsEntry[] {
  const { live, next, type } = input
  const sent = entriesOf(next)
  const cleared = sent.length > 0 && sent.every((entry) => isJsonMap(entry) && Object.keys(entry).length === 0)
  const entries = cleared ? [] : input.subresource === undefined && sent.length > 0 ? sent : entriesOf(live)
  // An object whose entries were cleared stays untracked until somebody applies it.
  if (live !== undefined && entries.length === 0) return []
  const ledger = readLedger(entries)
  const manager = identityOf(input, 'Update')
  const before = live === undefined ? {} : withoutEntries(live)
  const update = recordUpdate(
    {
      live: before,
      type,
      owners: ledger.owners,
      manager,
      ...(input.ignored === undefined ? {} : { ignored: input.ignored })
    },
    withoutEntries(next)
  )
  const { added, modified } = update.comparison
  if (!added.union(modified).difference(UNOWNED).isEmpty) ledger.times.set(manager, input.now)
  ledger.versions.set(manager, input.apiVersion)
  return writeLedger(update.owners, ledger)
}

function identityOf(writer: FieldWriter, operation: Identity['operation']): string {
  const { manager, apiVersion, subresource = '' } = writer
  return encodeIdentity({ manager, operation, apiVersion, subresource })
}

/**
 * Server-side apply as kube-apiserver 1.36 does it: typed merge, ownership, conflicts.
 * @param input - objects, type and writer
 */
export function serverSideApply(input: ApplyInput): ApplyOutcome {
  const { type } = input
  const live = input.live === undefined ? {} : withoutEntries(input.live)
  const config = withoutEntries(input.config)
  const ledger = readLedger(entriesOf(input.live))
  const manager = identityOf(input, 'Apply')
  if (input.live !== undefined && ledger.owners.size === 0) adoptUntracked(ledger, live, input)
  const base = {
    live,
    type,
    owners: ledger.owners,
    manager,
    ...(input.ignored === undefined ? {} : { ignored: input.ignored })
  }
  let outcome = recordApply(base, config, input.force)
  if (!outcome.ok && 'conflicts' in outcome && onlyOwnClientSideFields(outcome.conflicts, live, input)) {
    outcome = recordApply(base, config, true)
  }
  if (!outcome.ok) {
    if ('conflicts' in outcome) return conflictOutcome(outcome.conflicts, ledger)
    return {
      ok: false,
      kind: 'typed',
      message: `failed to create typed patch object (${subjectText(input.config)}): ${outcome.errors.join('\n')}`
    }
  }
  const object = isJsonMap(outcome.object) ? outcome.object : {}
  const changed = !deepEqual(object, live)
  // An applier that changes nothing comes to own its fields without a time (`managedFieldsUpdater.Apply`).
  if (changed) ledger.times.set(manager, input.now)
  ledger.versions.set(manager, input.apiVersion)
  return { ok: true, object: withEntries(withLastApplied(object, input), writeLedger(outcome.owners, ledger)), changed }
}

/** Fields of an object that nobody was tracked for belong to a manager of this name (upstream's choice of name). */
function adoptUntracked(ledger: Ledger, live: JsonMap, input: ApplyInput): void {
  const identity = encodeIdentity({
    manager: 'before-first-apply',
    operation: 'Update',
    apiVersion: input.apiVersion,
    subresource: ''
  })
  const { added } = compareTyped({}, live, input.type)
  ledger.owners.set(identity, added)
  ledger.versions.set(identity, input.apiVersion)
  ledger.times.set(identity, input.now)
}

/** `kubectl` may take over what its own client-side apply set before. */
function onlyOwnClientSideFields(conflicts: readonly FieldConflict[], live: JsonMap, input: ApplyInput): boolean {
  if (input.manager !== 'kubectl') return false
  const applied = lastApplied(live)
  if (applied === undefined) return false
  const set = typedFieldSet(applied, input.type)
  return conflicts.every(({ path }) => set.has(path))
}

function lastApplied(object: JsonMap): unknown {
  const metadata = object['metadata']
  const annotations = isJsonMap(metadata) ? metadata['annotations'] : undefined
  const text = isJsonMap(annotations) ? annotations[LAST_APPLIED] : undefined
  if (typeof text !== 'string') return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return undefined
  }
}

/** Where kubectl's annotation exists, an apply by kubectl keeps it in step. */
function withLastApplied(object: JsonMap, input: ApplyInput): JsonMap {
  if (input.manager !== 'kubectl' || lastApplied(object) === undefined) return object
  const metadata = isJsonMap(object['metadata']) ? object['metadata'] : {}
  const annotations = isJsonMap(metadata['annotations']) ? metadata['annotations'] : {}
  const text = `${JSON.stringify(withoutEntries(input.config))}\n`
  return { ...object, metadata: { ...metadata, annotations: { ...annotations, [LAST_APPLIED]: text } } }
}

function subjectText(object: JsonMap): string {
  const metadata = isJsonMap(object['metadata']) ? object['metadata'] : {}
  const apiVersion = String(object['apiVersion'] ?? '')
  const version = apiVersion.includes('/') ? apiVersion : `/${apiVersion}`
  return `${String(metadata['namespace'] ?? '')}/${String(metadata['name'] ?? '')}; ${version}, Kind=${String(object['kind'] ?? '')}`
}

function managerText(identifier: string, ledger: Ledger): string {
  const { manager, operation, apiVersion, subresource } = decodeIdentity(identifier)
  const through = subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`
  const version = operation === 'Update' ? ` using ${ledger.versions.get(identifier) ?? apiVersion}` : ''
  return `${JSON.stringify(manager)}${through}${version}`
}

function conflictOutcome(conflicts: readonly FieldConflict[], ledger: Ledger): ApplyOutcome {
  const causes = conflicts.map(({ manager, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${managerText(manager, ledger)}`,
    field: fieldPathText(path)
  }))
  return { ok: false, kind: 'conflict', message: conflictText(conflicts, ledger), causes }
}

function conflictText(conflicts: readonly FieldConflict[], ledger: Ledger): string {
  const [first] = conflicts
  if (conflicts.length === 1 && first !== undefined) {
    return `Apply failed with 1 conflict: conflict with ${managerText(first.manager, ledger)}: ${fieldPathText(first.path)}`
  }
  const lines: string[] = []
  for (const manager of [...new Set(conflicts.map((conflict) => conflict.manager))].sort(compareText)) {
    lines.push(`conflicts with ${managerText(manager, ledger)}:`)
    for (const conflict of conflicts) if (conflict.manager === manager) lines.push(`- ${fieldPathText(conflict.path)}`)
  }
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`
}
