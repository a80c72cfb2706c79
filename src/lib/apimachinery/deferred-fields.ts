import { deferredList, deferredNote } from './deferred-list.ts'
import { fieldStep, type FieldSet } from './field-set.ts'
import { isJsonMap, ownMember, setMember, type JsonMap } from './json.ts'
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
  const copy = metadata['managedFields'] === undefined ? { ...metadata } : withoutMember(metadata, 'managedFields')
  if (list !== undefined) copy['managedFields'] = list
  return { ...next, metadata: copy }
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
  if (witness === undefined) return presentEntries(input)
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
  const sent = entriesOf(next)
  return sent === undefined || sent === stored ? (stored ?? []) : undefined
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
  if (known !== undefined) return valueAt(input.next, known) === undefined ? undefined : known
  const isNew = input.live?.['kind'] === undefined
  return isNew ? firstScalar(input.next, [], { unowned: UNOWNED, ignored: input.ignored }) : undefined
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

/** The first text, number or boolean that is in no list and that its writer comes to own. */
function firstScalar(
  map: JsonMap,
  path: readonly string[],
  sets: { readonly unowned: FieldSet | undefined; readonly ignored: FieldSet | undefined }
): readonly string[] | undefined {
  if (path.length > MAX_DEPTH) return undefined
  for (const [name, value] of Object.entries(map)) {
    const step = fieldStep(name)
    if (sets.ignored?.members.has(step) === true) continue
    const here = [...path, name]
    if (isJsonMap(value)) {
      const below = { unowned: sets.unowned?.children.get(step), ignored: sets.ignored?.children.get(step) }
      const found = firstScalar(value, here, below)
      if (found !== undefined) return found
    } else if (value !== null && value !== undefined && !Array.isArray(value)) {
      if (sets.unowned?.members.has(step) !== true) return here
    }
  }
  return undefined
}
