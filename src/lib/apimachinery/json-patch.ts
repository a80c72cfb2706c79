import { deepCopy, deepEqual, isJsonMap, ownMember, setMember } from './json.ts'

/** What became of a patch. */
export type PatchOutcome =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false
      /** The patch library's words, without any prefix of client or server. */
      readonly message: string
      /** `decode`: the patch itself is malformed. `apply`: it does not fit the document. `test`: a `test` operation failed. */
      readonly kind: 'decode' | 'apply' | 'test'
    }

/**
 * Which rules hold. `kubernetes` (default): those of the patch library the API server and kubectl use (json-patch v4): negative
 * indexes count from the end, a missing `value` is null, `replace` adds missing members. `rfc6902`: the standard to the letter.
 */
export type JsonPatchDialect = 'kubernetes' | 'rfc6902'

/** One operation, fields still unchecked. */
interface Operation {
  readonly op: string
  readonly path: string
  readonly from: string
  readonly value: unknown
  readonly hasValue: boolean
}

class PatchFailure extends Error {
  readonly kind: 'decode' | 'apply' | 'test'
  constructor(message: string, kind: 'decode' | 'apply' | 'test' = 'apply') {
    super(message)
    this.kind = kind
  }
}

const MAX_OPERATIONS = 10_000
const MISSING = 'missing value'

/**
 * Applies a JSON Patch (RFC 6902). The document is not changed; untouched parts are copied.
 * @param doc - any JSON value
 * @param patch - list of operations; at most 10,000 (the API server's limit)
 * @param dialect - default `kubernetes`
 */
export function applyJsonPatch(doc: unknown, patch: unknown, dialect: JsonPatchDialect = 'kubernetes'): PatchOutcome {
  try {
    const patcher = new Patcher(deepCopy(doc), dialect === 'rfc6902')
    for (const operation of decodePatch(patch)) patcher.apply(operation)
    return { ok: true, value: patcher.root }
  } catch (error) {
    if (!(error instanceof PatchFailure)) throw error
    return { ok: false, message: error.message, kind: error.kind }
  }
}

function decodePatch(patch: unknown): readonly Record<string, unknown>[] {
  if (!Array.isArray(patch)) {
    throw new PatchFailure(
      `json: cannot unmarshal ${jsonTypeName(patch)} into Go value of type jsonpatch.Patch`,
      'decode'
    )
  }
  if (patch.length > MAX_OPERATIONS) {
    throw new PatchFailure(
      `The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`,
      'decode'
    )
  }
  return patch.map((operation: unknown) => {
    if (isJsonMap(operation)) return operation
    throw new PatchFailure(
      `json: cannot unmarshal ${jsonTypeName(operation)} into Go value of type jsonpatch.Operation`,
      'decode'
    )
  })
}

function jsonTypeName(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return value === null ? 'null' : typeof value === 'boolean' ? 'bool' : typeof value
}

const KNOWN: ReadonlySet<string> = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test'])

function readOperation(raw: Readonly<Record<string, unknown>>): Operation {
  const op = typeof raw['op'] === 'string' ? raw['op'] : 'unknown'
  if (!KNOWN.has(op)) throw new PatchFailure(`Unexpected kind: ${op}`)
  const needsFrom = op === 'move' || op === 'copy'
  if (needsFrom && typeof raw['from'] !== 'string')
    throw new PatchFailure(`${op} operation failed to decode from: ${MISSING}`)
  if (typeof raw['path'] !== 'string') throw new PatchFailure(`${op} operation failed to decode path: ${MISSING}`)
  return {
    op,
    path: raw['path'],
    from: needsFrom ? String(raw['from']) : '',
    value: raw['value'] ?? null,
    hasValue: raw['value'] !== undefined
  }
}

/** A container of the document and the key within it that a pointer names. */
interface Place {
  readonly container: Record<string, unknown> | unknown[]
  readonly key: string
}

function decodeKey(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~')
}

class Patcher {
  root: unknown
  readonly #strict: boolean

  constructor(root: unknown, strict: boolean) {
    this.root = root
    this.#strict = strict
  }

  apply(raw: Readonly<Record<string, unknown>>): void {
    const operation = readOperation(raw)
    const needsValue = operation.op === 'add' || operation.op === 'replace' || operation.op === 'test'
    if (this.#strict && needsValue && !operation.hasValue)
      throw new PatchFailure(`${operation.op} operation: ${MISSING}`)
    if (operation.path === '' && this.#applyToRoot(operation)) return
    switch (operation.op) {
      case 'add':
        return this.#add('add', operation.path, operation.value)
      case 'remove':
        return this.#remove(operation.path)
      case 'replace':
        return this.#replace(operation)
      case 'move':
        return this.#move(operation)
      case 'copy':
        return this.#copy(operation)
      default:
        return this.#test(operation)
    }
  }

  /** Operations on the whole document. The Kubernetes library knows `replace` and `test` there, the RFC all. */
  #applyToRoot(operation: Operation): boolean {
    if (operation.op === 'replace') {
      if (this.#strict || (typeof operation.value === 'object' && operation.value !== null))
        this.root = deepCopy(operation.value)
      return true
    }
    if (operation.op === 'test') {
      if (!deepEqual(this.root, operation.value)) throw new PatchFailure('testing value  failed: test failed', 'test')
      return true
    }
    if (!this.#strict) return false
    if (operation.op === 'add') this.root = deepCopy(operation.value)
    else if (operation.op === 'remove') this.root = null
    else this.root = deepCopy(this.#require(operation.op, operation.from))
    return true
  }

  #find(pointer: string): Place | undefined {
    const parts = pointer.split('/')
    if (parts.length < 2 || parts[0] !== '') return undefined
    let current: unknown = this.root
    for (const part of parts.slice(1, -1)) {
      current = this.#child(current, decodeKey(part))
      if (typeof current !== 'object' || current === null) return undefined
    }
    if (!Array.isArray(current) && !isJsonMap(current)) return undefined
    return { container: current, key: decodeKey(parts.at(-1) ?? '') }
  }

  #child(container: unknown, key: string): unknown {
    if (Array.isArray(container)) {
      const index = this.#index(key)
      return index === undefined ? undefined : (container as unknown[])[index < 0 ? container.length + index : index]
    }
    return isJsonMap(container) ? ownMember(container, key) : undefined
  }

  /** Position in an array; undefined when the key is no number. */
  #index(key: string): number | undefined {
    if (this.#strict) return /^(0|[1-9]\d*)$/.test(key) ? Number(key) : undefined
    return /^[+-]?\d+$/.test(key) ? Number(key) : undefined
  }

  /** Value at a place; throws when an array has no such position. A missing member of a map reads as undefined. */
  #read(place: Place): unknown {
    if (!Array.isArray(place.container)) return ownMember(place.container, place.key)
    const index = this.#requireIndex(place.key)
    const position = index < 0 ? place.container.length + index : index
    if (position < 0 || position >= place.container.length) {
      throw new PatchFailure(`Unable to access invalid index: ${index}: invalid index referenced`)
    }
    return place.container[position]
  }

  #requireIndex(key: string): number {
    const index = this.#index(key)
    if (index === undefined) throw new PatchFailure(`strconv.Atoi: parsing ${JSON.stringify(key)}: invalid syntax`)
    return index
  }

  /** Value a pointer names; throws when there is none, also for a missing member of a map. */
  #require(op: string, pointer: string): unknown {
    if (pointer === '') return this.root
    const place = this.#find(pointer)
    const value = place === undefined ? undefined : this.#read(place)
    if (value === undefined)
      throw new PatchFailure(`${op} operation does not apply: doc is missing from path: ${pointer}: ${MISSING}`)
    return value
  }

  #add(op: string, pointer: string, value: unknown): void {
    const place = this.#find(pointer)
    if (place === undefined) {
      const text =
        op === 'add' ? `doc is missing path: ${JSON.stringify(pointer)}` : `doc is missing destination path: ${pointer}`
      throw new PatchFailure(`${op} operation does not apply: ${text}: ${MISSING}`)
    }
    wrap(op, pointer, () => this.#insert(place, deepCopy(value)))
  }

  #insert(place: Place, value: unknown): void {
    const { container, key } = place
    if (!Array.isArray(container)) return setMember(container, key, value)
    if (key === '-') {
      container.push(value)
      return
    }
    const index = this.#requireIndex(key)
    // A new element at -1 goes behind the last one: the library counts in the array as it will be.
    const position = index < 0 ? container.length + 1 + index : index
    if (position < 0 || position > container.length) {
      throw new PatchFailure(`Unable to access invalid index: ${index}: invalid index referenced`)
    }
    container.splice(position, 0, value)
  }

  #remove(pointer: string): void {
    const place = this.#find(pointer)
    if (place === undefined) {
      throw new PatchFailure(
        `remove operation does not apply: doc is missing path: ${JSON.stringify(pointer)}: ${MISSING}`
      )
    }
    wrap('remove', pointer, () => this.#delete(place))
  }

  #delete(place: Place): void {
    const { container, key } = place
    if (Array.isArray(container)) {
      this.#read(place)
      const index = this.#requireIndex(key)
      container.splice(index < 0 ? container.length + index : index, 1)
      return
    }
    if (!Object.hasOwn(container, key)) throw new PatchFailure(`Unable to remove nonexistent key: ${key}: ${MISSING}`)
    delete container[key]
  }

  #replace(operation: Operation): void {
    const place = this.#find(operation.path)
    if (place === undefined) {
      throw new PatchFailure(`replace operation does not apply: doc is missing path: ${operation.path}: ${MISSING}`)
    }
    const missing = `replace operation does not apply: doc is missing key: ${operation.path}: ${MISSING}`
    if (!Array.isArray(place.container)) {
      if (this.#strict && !Object.hasOwn(place.container, place.key)) throw new PatchFailure(missing)
      return setMember(place.container, place.key, deepCopy(operation.value))
    }
    try {
      this.#read(place)
    } catch (error) {
      throw error instanceof PatchFailure ? new PatchFailure(missing) : error
    }
    const index = this.#requireIndex(place.key)
    place.container[index < 0 ? place.container.length + index : index] = deepCopy(operation.value)
  }

  #move(operation: Operation): void {
    const { from, path } = operation
    if (this.#strict && path.startsWith(`${from}/`))
      throw new PatchFailure(`move operation: ${path} lies inside ${from}`)
    const source = this.#find(from)
    if (source === undefined) {
      throw new PatchFailure(`move operation does not apply: doc is missing from path: ${from}: ${MISSING}`)
    }
    const value = wrap('move', from, () => this.#read(source))
    wrap('move', from, () => this.#delete(source))
    this.#add('move', path, value)
  }

  #copy(operation: Operation): void {
    const { from, path } = operation
    const source = this.#find(from)
    if (source === undefined) {
      throw new PatchFailure(`copy operation does not apply: doc is missing from path: ${from}: ${MISSING}`)
    }
    const value = wrap('copy', from, () => this.#read(source))
    if (this.#strict && value === undefined) throw new PatchFailure(`copy operation: ${from}: ${MISSING}`)
    this.#add('copy', path, value ?? null)
  }

  #test(operation: Operation): void {
    const place = this.#find(operation.path)
    if (place === undefined) {
      throw new PatchFailure(`test operation does not apply: is missing path: ${operation.path}: ${MISSING}`, 'test')
    }
    const value = wrap('test', operation.path, () => this.#read(place))
    if (this.#strict && value === undefined)
      throw new PatchFailure(`testing path ${operation.path} failed: ${MISSING}`, 'test')
    // The library takes a present null for a value of its own: only an explicit null in the patch equals it.
    const equal = operation.hasValue || value === undefined ? deepEqual(value ?? null, operation.value) : false
    if (!equal) {
      throw new PatchFailure(`testing value ${operation.path} failed: test failed`, 'test')
    }
  }
}

/** Puts the operation and its path before the message of a failure. */
function wrap<T>(op: string, pointer: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof PatchFailure)) throw error
    throw new PatchFailure(`error in ${op} for path: '${pointer}': ${error.message}`, error.kind)
  }
}
