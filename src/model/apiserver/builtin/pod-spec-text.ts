import { PrintedValue, isJsonMap, type JsonMap } from '../../../lib/apimachinery/index.ts'
import { INTERNAL_TYPES } from './internal-types.data.ts'

/** Lines of context around a change. */
const CONTEXT_LINES = 3
/** Longest text that is compared line by line. */
const MAX_LINES = 4000

/**
 * A value as Go prints its internal type in messages: every field, unset ones as their zero.
 * @param type - name in the table of internal types
 * @param value - the versioned form
 */
export function internalForm(type: string, value: JsonMap): JsonMap {
  const result: JsonMap = {}
  for (const field of (INTERNAL_TYPES[type] ?? '').split(' ')) {
    const [goName = '', shape = ''] = [field.slice(0, field.indexOf(':')), field.slice(field.indexOf(':') + 1)]
    const [zero = '', ownName] = shape.split('=')
    result[goName] = fieldForm(zero, value[ownName ?? jsonName(goName)])
  }
  return result
}

/** Leading capitals go small: `DNSPolicy` is `dnsPolicy`, `HTTPGet` is `httpGet`, `TTY` is `tty`. */
function jsonName(goName: string): string {
  return goName.replace(/^[A-Z]+(?=[A-Z][a-z])|^[A-Z]+/, (capitals) => capitals.toLowerCase())
}

function fieldForm(zero: string, value: unknown): unknown {
  if (zero.startsWith('[]'))
    return Array.isArray(value) ? value.map((item) => internalForm(zero.slice(2), isJsonMap(item) ? item : {})) : null
  if (zero.startsWith('*')) return isJsonMap(value) ? internalForm(zero.slice(1), value) : null
  if (/^[A-Z]/.test(zero)) return internalForm(zero, isJsonMap(value) ? value : {})
  return value ?? (JSON.parse(zero) as unknown)
}

/**
 * A value of an internal type for a field error; Go's order of fields is kept.
 * @param type - name in the table of internal types
 * @param value - the versioned form, or a list of such
 */
export function internalValue(type: string, value: unknown): PrintedValue {
  if (Array.isArray(value)) {
    return new PrintedValue(JSON.stringify(value.map((item) => internalForm(type, isJsonMap(item) ? item : {}))))
  }
  return new PrintedValue(JSON.stringify(internalPodParts(type, isJsonMap(value) ? value : {})))
}

/** In the internal pod spec, host namespaces belong to the security context. */
function internalPodParts(type: string, value: JsonMap): JsonMap {
  if (type !== 'PodSpec') return internalForm(type, value)
  const context = isJsonMap(value['securityContext']) ? value['securityContext'] : {}
  const { hostNetwork, hostPID, hostIPC, shareProcessNamespace, hostUsers } = value
  return internalForm('PodSpec', {
    ...value,
    securityContext: { ...context, hostNetwork, hostPID, hostIPC, shareProcessNamespace, hostUsers }
  })
}

/**
 * The difference of two pod specs as unified diff of their internal JSON, as the API server shows forbidden changes.
 * @param before - stored spec
 * @param after - new spec, permitted changes undone
 */
export function podSpecDiff(before: JsonMap, after: JsonMap): string {
  const text = (spec: JsonMap): string[] => JSON.stringify(internalPodParts('PodSpec', spec), undefined, 1).split('\n')
  return unifiedDiff(text(before).slice(0, MAX_LINES), text(after).slice(0, MAX_LINES))
}

interface Change {
  readonly mark: ' ' | '-' | '+'
  readonly line: string
}

function unifiedDiff(left: readonly string[], right: readonly string[]): string {
  const changes = lineChanges(left, right)
  const touched = changes.map((change, index) => (change.mark === ' ' ? -1 : index)).filter((index) => index >= 0)
  const hunks: [number, number][] = []
  for (const index of touched) {
    const from = Math.max(0, index - CONTEXT_LINES)
    const to = Math.min(changes.length - 1, index + CONTEXT_LINES)
    const last = hunks.at(-1)
    if (last !== undefined && from <= last[1] + 1) last[1] = to
    else hunks.push([from, to])
  }
  return hunks.map(([from, to]) => hunkText(changes, from, to)).join('')
}

function hunkText(changes: readonly Change[], from: number, to: number): string {
  const count = (list: readonly Change[], other: Change['mark']): number =>
    list.filter((change) => change.mark !== other).length
  const before = changes.slice(0, from)
  const hunk = changes.slice(from, to + 1)
  const header = `@@ -${count(before, '+') + 1},${count(hunk, '+')} +${count(before, '-') + 1},${count(hunk, '-')} @@\n`
  return header + hunk.map((change) => `${change.mark}${change.line}\n`).join('')
}

/** Equal lines at both ends are matched first; between them the longest common subsequence. */
function lineChanges(left: readonly string[], right: readonly string[]): Change[] {
  let head = 0
  while (head < left.length && head < right.length && left[head] === right[head]) head += 1
  let tail = 0
  const shorter = Math.min(left.length, right.length) - head
  while (tail < shorter && left[left.length - 1 - tail] === right[right.length - 1 - tail]) tail += 1
  const same = (lines: readonly string[]): Change[] => lines.map((line) => ({ mark: ' ', line }))
  return [
    ...same(left.slice(0, head)),
    ...middleChanges(left.slice(head, left.length - tail), right.slice(head, right.length - tail)),
    ...same(left.slice(left.length - tail))
  ]
}

function middleChanges(left: readonly string[], right: readonly string[]): Change[] {
  const width = right.length + 1
  const lengths = new Uint16Array((left.length + 1) * width)
  for (let row = left.length - 1; row >= 0; row -= 1) {
    for (let column = right.length - 1; column >= 0; column -= 1) {
      const below = lengths[(row + 1) * width + column] ?? 0
      const beside = lengths[row * width + column + 1] ?? 0
      const diagonal = lengths[(row + 1) * width + column + 1] ?? 0
      lengths[row * width + column] = left[row] === right[column] ? diagonal + 1 : Math.max(below, beside)
    }
  }
  const changes: Change[] = []
  let row = 0
  let column = 0
  while (row < left.length || column < right.length) {
    const down = lengths[(row + 1) * width + column] ?? 0
    const across = lengths[row * width + column + 1] ?? 0
    if (row < left.length && column < right.length && left[row] === right[column]) {
      changes.push({ mark: ' ', line: left[row] ?? '' })
      row += 1
      column += 1
    } else if (row < left.length && (column >= right.length || down >= across)) {
      changes.push({ mark: '-', line: left[row] ?? '' })
      row += 1
    } else {
      changes.push({ mark: '+', line: right[column] ?? '' })
      column += 1
    }
  }
  return changes
}
