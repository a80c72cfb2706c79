import { deferredList, deferredNote } from './deferred-list.ts'
import { fieldStep, type FieldSet } from './field-set.ts'
import { copyOf, copyWith, isJsonMap, ownMember, setMember, type JsonMap } from './json.ts'
import { trackedEntries, UNOWNED, type TrackUpdateInput } from './managed-fields.ts'

/** Updates of an object whose fields are put off; the next one computes them all, so that their objects can go. */
const MAX_PENDING = 64
/** Depth of the objects that are looked through for a witness. */
const MAX_DEPTH = 16

/** What is known of managed fields that nobody has asked for yet. */
interface PendingFields {
  /** Updates that are still to be computed. */
  readonly updates: number
  /** Names of members on the way to a value that some manager owns: while it is there, there is at least one entry. */
  readonly witness: readonly string[]
}

/**
 * Like {@link trackUpdate}, but the entries are computed when somebody looks at them, which nobody does in most runs.
 * @param input - objects, type and writer; `next` must not change afterwards
 * @returns the object to store
 */
export function trackUpdateLater(input: TrackUpdateInput): JsonMap {
  const { next } = input
  const metadata = metadataOf(next)
  const list = trackedEntriesLater(input)
  const copy = metadata['managedFields'] === undefined ? copyOf(metadata) : withoutMember(metadata, 'managedFields')
  if (list !== undefined) copy['managedFields'] = list
  return copyWith(next, 'metadata', copy)
}

/**
 * The entries of {@link trackUpdateLater}. Whether there are any must be known at once, since an object without entries
 * has no `managedFields`: where that cannot be told from a single value, they are computed as ever.
 * @param input - objects, type and writer; `next` must not change afterwards
 * @returns undefined where the object is to have no `managedFields`
 */
export function trackedEntriesLater(input: TrackUpdateInput): readonly JsonMap[] | undefined {
  const entries = entriesBefore(input)
  if (entries === undefined) return presentEntries(input)
  const pending = pendingFields(entries)
  const updates = (pending?.updates ?? 0) + 1
  const witness = updates > MAX_PENDING ? undefined : witnessAfter(input, entries, pending)
  if (witness === undefined) return isUnowned(input) ? undefined : presentEntries(input)
  const note: PendingFields = { updates, witness }
  return deferredList(note, () => entriesNow(input))
}

function presentEntries(input: TrackUpdateInput): readonly JsonMap[] | undefined {
  const entries = entriesNow(input)
  return entries.length === 0 ? undefined : entries
}

function entriesNow(input: TrackUpdateInput): readonly JsonMap[] {
  return trackedEntries(input) as readonly object[] as readonly JsonMap[]
}

function withoutMember(map: JsonMap, name: string): JsonMap {
  const rest: JsonMap = {}
  for (const key of Object.keys(map)) if (key !== name) setMember(rest, key, map[key])
  return rest
}

function pendingFields(entries: unknown): PendingFields | undefined {
  return deferredNote(entries) as PendingFields | undefined
}

/** The entries an update starts from; undefined where a client's own list has to be read first. */
function entriesBefore({ live, next }: TrackUpdateInput): readonly unknown[] | undefined {
  const stored = entriesOf(live)
  const sent = metadataOf(next)['managedFields']
  return sent === stored || !Array.isArray(sent) ? (stored ?? []) : undefined
}

function entriesOf(object: JsonMap | undefined): readonly unknown[] | undefined {
  const entries = object === undefined ? undefined : metadataOf(object)['managedFields']
  return Array.isArray(entries) ? entries : undefined
}

function metadataOf(object: JsonMap): JsonMap {
  const metadata = object['metadata']
  return isJsonMap(metadata) ? metadata : {}
}

/** A value that somebody owns after the update: still there, or of a new object. */
function witnessAfter(
  input: TrackUpdateInput,
  entries: readonly unknown[],
  pending: PendingFields | undefined
): readonly string[] | undefined {
  const known = pending?.witness ?? witnessIn(entries)
  if (known !== undefined) return isThere(known, input) ? known : undefined
  return input.live?.['kind'] === undefined ? witnessOfNew(input) : undefined
}

/** Whether a new object has nothing in it that anybody comes to own. */
function isUnowned({ live, next }: TrackUpdateInput): boolean {
  if (live?.['kind'] !== undefined) return false
  for (const name in next) if (name !== 'metadata' && name !== 'apiVersion' && name !== 'kind') return false
  const unowned = UNOWNED.children.get(fieldStep('metadata'))?.members
  for (const name in metadataOf(next)) if (unowned?.has(fieldStep(name)) !== true) return false
  return true
}

/** Metadata is looked through last, since nobody owns most of it. */
function witnessOfNew({ next, ignored }: TrackUpdateInput): readonly string[] | undefined {
  const path: string[] = []
  for (const name in next) {
    if (name === 'metadata' || name === 'apiVersion' || name === 'kind') continue
    if (isOwnedScalar(next, name, path, { unowned: undefined, ignored })) return path
  }
  return isOwnedScalar(next, 'metadata', path, { unowned: UNOWNED, ignored }) ? path : undefined
}

/** Whether the value is still there; it is where it was in a part that the update left alone. */
function isThere(path: readonly string[], { live, next }: TrackUpdateInput): boolean {
  const isLeftAlone = path[0] === 'spec' && next['spec'] !== undefined && next['spec'] === live?.['spec']
  return isLeftAlone || valueAt(next, path) !== undefined
}

function valueAt(object: JsonMap, path: readonly string[]): unknown {
  let value: unknown = object
  for (const name of path) {
    if (!isJsonMap(value)) return undefined
    value = ownMember(value, name)
  }
  return value ?? undefined
}

/** The first path of plain fields in the entries. */
function witnessIn(entries: readonly unknown[]): readonly string[] | undefined {
  for (const entry of entries) {
    const found = isJsonMap(entry) && isJsonMap(entry['fieldsV1']) ? firstField(entry['fieldsV1'], []) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

function firstField(fields: JsonMap, path: readonly string[]): readonly string[] | undefined {
  for (const [step, below] of Object.entries(fields)) {
    if (!step.startsWith('f:') || !isJsonMap(below)) continue
    const here = [...path, step.slice(2)]
    if (Object.keys(below).length === 0 || Object.hasOwn(below, '.')) return here
    const found = firstField(below, here)
    if (found !== undefined) return found
  }
  return undefined
}

/** Fields that a writer does not come to own: those that nobody does, and those that its door resets. */
interface Disowned {
  readonly unowned: FieldSet | undefined
  readonly ignored: FieldSet | undefined
}

const ALL_OWNED: Disowned = { unowned: undefined, ignored: undefined }

/**
 * Whether a member is a text, number or boolean that its writer comes to own, or the first such thing below it that is in
 * no list; then the path is that of it.
 */
function isOwnedScalar(map: JsonMap, name: string, path: string[], disowned: Disowned): boolean {
  const value = map[name]
  if (value === null || value === undefined || Array.isArray(value)) return false
  const { unowned, ignored } = disowned
  const isAllOwned = unowned === undefined && ignored === undefined
  const step = isAllOwned ? '' : fieldStep(name)
  if (ignored?.members.has(step) === true) return false
  path.push(name)
  if (!isJsonMap(value)) {
    if (unowned?.members.has(step) !== true) return true
  } else if (path.length <= MAX_DEPTH) {
    const below = isAllOwned
      ? ALL_OWNED
      : { unowned: unowned?.children.get(step), ignored: ignored?.children.get(step) }
    for (const member in value) if (isOwnedScalar(value, member, path, below)) return true
  }
  path.pop()
  return false
}
