/**
 * A function of a text whose results are kept, for texts that come again and again. When there are too many, all are
 * forgotten: what is used is soon there again. What `compute` throws is not kept.
 * @param most - results that are kept
 * @param compute - gives the same result for the same text
 */
export function keptByText<Value>(most: number, compute: (text: string) => Value): (text: string) => Value {
  const kept = new Map<string, { readonly value: Value }>()
  return (text) => {
    const known = kept.get(text)
    if (known !== undefined) return known.value
    const value = compute(text)
    if (kept.size >= most) kept.clear()
    kept.set(text, { value })
    return value
  }
}

/**
 * A function of an object whose results are kept as long as the object is there, for frozen objects: those do not change.
 * @param compute - gives the same result for the same object; never undefined
 */
export function keptOfFrozen<Key extends object, Value extends {}>(compute: (key: Key) => Value): (key: Key) => Value {
  const kept = new WeakMap<Key, Value>()
  return (key) => {
    const known = kept.get(key)
    if (known !== undefined) return known
    const value = compute(key)
    if (Object.isFrozen(key)) kept.set(key, value)
    return value
  }
}
