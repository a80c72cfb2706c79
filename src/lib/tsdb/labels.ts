/** The label that carries the metric name. */
export const METRIC_NAME = '__name__'

const EMPTY_VALUES: readonly string[] = []

/** FNV-1a over code units. */
function textHash(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return hash
}

/** Hash of one label; a set's is the sum of its labels', so that it follows when one comes or goes. */
export function pairHash(name: string, value: string): number {
  const mixed = Math.imul(textHash(name) ^ Math.imul(textHash(value), 0x85ebca6b), 0xc2b2ae35)
  return mixed ^ (mixed >>> 15)
}

/** How labels are put among those of a set; many sets may share it. */
export interface Shape {
  /** All names, ascending. */
  readonly names: readonly string[]
  /** Where the value of each name comes from: an index of the set's own values, or -1, -2, … for those that are added. */
  readonly sources: readonly number[]
}

/** Lists of label names by their text: sets of one list find what was made for it before. */
const nameLists = new Map<string, readonly string[]>()

/** Most of them that are kept. */
const NAME_LISTS_MAX = 1000

/** One object for equal lists of names. */
export function sharedNames(names: readonly string[]): readonly string[] {
  const key = names.join('\u0001')
  const known = nameLists.get(key)
  if (known !== undefined) return known
  if (nameLists.size >= NAME_LISTS_MAX) nameLists.clear()
  nameLists.set(key, names)
  return names
}

/** How the labels of two lists of names go together, by the lists; undefined where a name is in both. */
const jointShapes = new WeakMap<readonly string[], WeakMap<readonly string[], Shape | 'clash'>>()

function jointShape(left: readonly string[], right: readonly string[]): Shape | undefined {
  let byRight = jointShapes.get(left)
  if (byRight === undefined) jointShapes.set(left, (byRight = new WeakMap<readonly string[], Shape | 'clash'>()))
  let shape = byRight.get(right)
  if (shape === undefined) byRight.set(right, (shape = shapeWith(left, right) ?? 'clash'))
  return shape === 'clash' ? undefined : shape
}

/** Where the labels of a list go among those of another, both ascending; undefined where a name is in both. */
export function shapeWith(own: readonly string[], added: readonly string[]): Shape | undefined {
  const names: string[] = []
  const sources: number[] = []
  let taken = 0
  let put = 0
  while (taken < own.length || put < added.length) {
    const left = own[taken]
    const right = added[put]
    if (left !== undefined && left === right) return undefined
    const isOwn = left !== undefined && (right === undefined || left < right)
    names.push((isOwn ? left : right) ?? '')
    sources.push(isOwn ? taken++ : -1 - put++)
  }
  return { names: sharedNames(names), sources }
}

/** Sets of one label by its name and value. */
const singles = new Map<string, Map<string, Labels>>()

/** Most names, and most values of a name, that are kept. */
const SINGLES_MAX = 500

/**
 * An immutable label set, sorted by name, without empty values. Derived sets that queries ask for again and again
 * (without the name, marked for a later drop of the name) are kept on the object, so that their identity is stable.
 * @see Prometheus model/labels, v2.55.1
 */
export class Labels {
  /** Label names in ascending order. */
  readonly names: readonly string[]
  /** The name is dropped at the end of the query, not earlier (delayed name removal of Prometheus 3.x). */
  readonly nameDropPending: boolean
  /** The values; of a set that was made of another, the other's, as long as nobody asks for all of them. */
  private own: readonly string[]
  /** Where to find its values among these and those that were added; undefined: they are its own. */
  private sources: readonly number[] | undefined
  private added: readonly string[]
  private keyText: string | undefined
  private hashValue: number | undefined
  private nameless: Labels | undefined
  private pending: Labels | undefined

  private constructor(names: readonly string[], values: readonly string[], nameDropPending: boolean, hash?: number) {
    this.names = names
    this.nameDropPending = nameDropPending
    this.own = values
    this.sources = undefined
    this.added = EMPTY_VALUES
    this.keyText = undefined
    this.hashValue = hash
    this.nameless = undefined
    this.pending = undefined
  }

  /** The set without labels. */
  static readonly EMPTY: Labels = new Labels(EMPTY_VALUES, EMPTY_VALUES, false)

  /** From a plain record; empty values are left out. */
  static of(record: Readonly<Record<string, string>>): Labels {
    return Labels.fromPairs(Object.entries(record))
  }

  /** From pairs in any order; of two pairs with one name the last stands; empty values are left out. */
  static fromPairs(pairs: Iterable<readonly [string, string]>): Labels {
    const sorted = [...pairs].sort(([left], [right]) => compareText(left, right))
    const names: string[] = []
    const values: string[] = []
    for (let index = 0; index < sorted.length; index++) {
      const [name, value] = sorted[index] ?? ['', '']
      // The order of sorting is stable: of equal names the last one comes last.
      if (value === '' || sorted[index + 1]?.[0] === name) continue
      names.push(name)
      values.push(value)
    }
    return Labels.fromSorted(sharedNames(names), values)
  }

  /** The set of one label, the same object as long as it is remembered; empty where the value is. */
  static single(name: string, value: string): Labels {
    if (value === '') return Labels.EMPTY
    let byValue = singles.get(name)
    if (byValue === undefined || byValue.size >= SINGLES_MAX) {
      if (singles.size >= SINGLES_MAX) singles.clear()
      singles.set(name, (byValue = new Map<string, Labels>()))
    }
    let known = byValue.get(value)
    if (known === undefined) byValue.set(value, (known = Labels.fromSorted([name], [value])))
    return known
  }

  /** From parallel arrays that are sorted already and hold no empty value. */
  static fromSorted(names: readonly string[], values: readonly string[]): Labels {
    return names.length === 0 ? Labels.EMPTY : new Labels(names, values, false)
  }

  /** Values in the order of {@link Labels.names}. */
  get values(): readonly string[] {
    const { sources, own, added } = this
    if (sources !== undefined) {
      this.own = sources.map((source) => (source < 0 ? added[-1 - source] : own[source]) ?? '')
      this.sources = undefined
    }
    return this.own
  }

  /** The value at a place of {@link Labels.names}; empty text where there is none. */
  valueAt(index: number): string {
    if (index < 0) return ''
    const source = this.sources === undefined ? index : (this.sources[index] ?? index)
    return (source < 0 ? this.added[-1 - source] : this.own[source]) ?? ''
  }

  /** Number of labels. */
  get size(): number {
    return this.names.length
  }

  /** The value of a label; empty text when absent, as Prometheus treats it. */
  get(name: string): string {
    const names = this.names
    for (let index = 0; index < names.length; index++) {
      if (names[index] === name) return this.valueAt(index)
    }
    return ''
  }

  /** Whether the label is there. */
  has(name: string): boolean {
    return this.names.includes(name)
  }

  /** The metric name, empty when there is none. */
  get metricName(): string {
    return this.get(METRIC_NAME)
  }

  /** A text that is equal exactly for equal sets (a pending drop of the name does not count). */
  get key(): string {
    if (this.keyText === undefined) {
      let text = ''
      for (let index = 0; index < this.names.length; index++) {
        text += `${this.names[index]}\u0001${this.values[index]}\u0002`
      }
      this.keyText = text
    }
    return this.keyText
  }

  /** A number that is equal for equal sets (a pending drop of the name does not count) and mostly differs otherwise. */
  get hash(): number {
    if (this.hashValue === undefined) {
      let hash = 0
      for (let index = 0; index < this.names.length; index++) {
        hash = (hash + pairHash(this.names[index] ?? '', this.valueAt(index))) | 0
      }
      this.hashValue = hash
    }
    return this.hashValue
  }

  /** Whether both sets have the same labels (a pending drop of the name does not count). */
  equals(other: Labels): boolean {
    if (this === other) return true
    if (this.hash !== other.hash || this.names.length !== other.names.length) return false
    const named = this.names === other.names
    for (let index = 0; index < this.names.length; index++) {
      if (!named && this.names[index] !== other.names[index]) return false
      if (this.valueAt(index) !== other.valueAt(index)) return false
    }
    return true
  }

  /** Both sets' labels together; undefined where a name is in both. */
  joined(other: Labels): Labels | undefined {
    if (other.names.length === 0) return this.withNameKept()
    const shape = jointShape(this.names, other.names)
    return shape === undefined ? undefined : this.spliced(shape, other.values, other.hash)
  }

  /**
   * The set with further labels.
   * @param shape - where they go
   * @param added - their values, none empty; not to be changed any more
   * @param hash - the sum of their {@link pairHash}
   */
  spliced({ names, sources }: Shape, added: readonly string[], hash: number): Labels {
    const made = new Labels(names, this.values, false, (this.hash + hash) | 0)
    made.sources = sources
    made.added = added
    return made
  }

  /** The set without the metric name; the same object on every call. */
  withoutName(): Labels {
    if (this.nameless === undefined) {
      const index = this.names.indexOf(METRIC_NAME)
      if (index < 0) this.nameless = this.withNameKept()
      else {
        const hash = (this.hash - pairHash(METRIC_NAME, this.values[index] ?? '')) | 0
        this.nameless = new Labels(this.names.toSpliced(index, 1), this.values.toSpliced(index, 1), false, hash)
      }
    }
    return this.nameless
  }

  /** The same set, its name to be dropped when the query ends. */
  withNameDropPending(): Labels {
    if (this.nameDropPending) return this
    this.pending ??= new Labels(this.names, this.values, true, this.hashValue)
    return this.pending
  }

  /** The same set with its name to stay. */
  withNameKept(): Labels {
    return this.nameDropPending ? new Labels(this.names, this.values, false, this.hashValue) : this
  }

  /** Without the named labels. */
  without(names: readonly string[]): Labels {
    return this.filter((name) => !names.includes(name))
  }

  /** Only the named labels. */
  only(names: readonly string[]): Labels {
    return this.filter((name) => names.includes(name))
  }

  /** Only labels whose name passes. */
  filter(keep: (name: string) => boolean): Labels {
    const names: string[] = []
    const values: string[] = []
    for (let index = 0; index < this.names.length; index++) {
      const name = this.names[index] ?? ''
      if (!keep(name)) continue
      names.push(name)
      values.push(this.values[index] ?? '')
    }
    return Labels.fromSorted(names, values)
  }

  /** With a label set; an empty value removes it. A pending drop of the name stays pending. */
  with(name: string, value: string): Labels {
    const record = this.toRecord()
    record[name] = value
    const made = Labels.of(record)
    return this.nameDropPending ? made.withNameDropPending() : made
  }

  /** A plain record, names ascending. */
  toRecord(): Record<string, string> {
    const record: Record<string, string> = {}
    for (let index = 0; index < this.names.length; index++) record[this.names[index] ?? ''] = this.values[index] ?? ''
    return record
  }

  /** Prometheus notation of a whole set: `{__name__="up", job="a"}`. */
  toString(): string {
    const pairs = this.names.map((name, index) => `${name}=${JSON.stringify(this.values[index])}`)
    return `{${pairs.join(', ')}}`
  }
}

/** Order of label sets: by name, then value, pair by pair; a prefix comes first. */
export function compareLabels(left: Labels, right: Labels): number {
  const { names, values } = left
  const { names: otherNames, values: otherValues } = right
  const shared = Math.min(names.length, otherNames.length)
  const named = names === otherNames
  for (let index = 0; index < shared; index++) {
    if (!named && names[index] !== otherNames[index]) return compareText(names[index] ?? '', otherNames[index] ?? '')
    const own = values[index]
    const other = otherValues[index]
    if (own !== other) return compareText(own ?? '', other ?? '')
  }
  return names.length - otherNames.length
}

/** Order of texts as Go compares strings (by code unit here; surrogates apart, the same as by UTF-8 byte). */
function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
