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

/** What is kept for the parts so far, and by the next one. */
interface Branch<Value> {
  readonly next: Map<unknown, Branch<Value>>
  kept: { readonly value: Value } | undefined
}

/**
 * Like {@link keptByText} for several parts, so that no text is put together only to look something up. A result that is a
 * text is the very same one each time, which others find faster in what they keep by it.
 * @param most - parts that are kept; when there are more, all are forgotten
 * @param compute - gives the same result for the same parts: the same texts, or the very same objects
 */
export function keptByParts<Parts extends readonly unknown[], Value>(
  most: number,
  compute: (...parts: Parts) => Value
): (...parts: Parts) => Value {
  const root: Branch<Value> = { next: new Map(), kept: undefined }
  let size = 0
  const follow = (branch: Branch<Value>, part: unknown): Branch<Value> => {
    if (size >= most) {
      root.next.clear()
      size = 0
    }
    size += 1
    const next: Branch<Value> = { next: new Map(), kept: undefined }
    branch.next.set(part, next)
    return next
  }
  return (...parts) => {
    let branch = root
    for (const part of parts) branch = branch.next.get(part) ?? follow(branch, part)
    return (branch.kept ??= { value: compute(...parts) }).value
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
