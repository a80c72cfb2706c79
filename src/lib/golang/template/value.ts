/** A value of a template, with its Go type. `nil`: no value at all. */
export type GoValue =
  | { readonly type: 'nil' }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'int' | 'uint8'; readonly value: bigint }
  | { readonly type: 'float64'; readonly value: number }
  | { readonly type: 'complex128'; readonly value: readonly [real: number, imaginary: number] }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'map[string]string'; readonly value: ReadonlyMap<string, string> }

/** No value. */
export const NIL: GoValue = { type: 'nil' }

/** A text as a value. */
export function textValue(value: string): GoValue {
  return { type: 'string', value }
}

/** Whether a value counts as true: not the zero of its type. */
export function isTrue(value: GoValue): boolean {
  switch (value.type) {
    case 'nil':
      return false
    case 'string':
      return value.value !== ''
    case 'int':
    case 'uint8':
      return value.value !== 0n
    case 'float64':
      return value.value !== 0
    case 'complex128':
      return value.value[0] !== 0 || value.value[1] !== 0
    case 'bool':
      return value.value
    default:
      return value.value.size > 0
  }
}

/** The entries of a map in Go's order, by key. */
export function sortedEntries(map: ReadonlyMap<string, string>): readonly (readonly [string, string])[] {
  return [...map].sort(([left], [right]) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
}
