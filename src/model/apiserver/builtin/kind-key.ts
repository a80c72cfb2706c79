const KEYS = new Map<string, Map<string, string>>()

/** The last one: each write asks several times. */
let last = { group: '', kind: '', key: '/' }

/**
 * Key of a built-in kind in the tables of this room: `group/Kind`, `/Kind` for core. The same text every time, since putting
 * it together costs more than looking it up.
 * @param group - API group, `''` for core
 * @param kind - e.g. `Deployment`
 */
export function kindKey(group: string, kind: string): string {
  if (group === last.group && kind === last.kind) return last.key
  let keys = KEYS.get(group)
  if (keys === undefined) KEYS.set(group, (keys = new Map()))
  let key = keys.get(kind)
  if (key === undefined) keys.set(kind, (key = `${group}/${kind}`))
  last = { group, kind, key }
  return key
}
