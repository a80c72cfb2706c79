import { TwinError } from '../../lib/errors/index.ts'
import { type QuirkName, QUIRKS } from './quirks.data.ts'

/** Which oddities are reproduced. */
export type Quirks = Readonly<Record<QuirkName, boolean>>

const ALL_ON = Object.freeze(Object.fromEntries(Object.keys(QUIRKS).map((name) => [name, true]))) as Quirks

/**
 * All oddities on, except the named ones.
 * @throws TwinError TWIN_USAGE for an unknown name
 */
export function resolveQuirks(off: readonly string[]): Quirks {
  if (off.length === 0) return ALL_ON
  const quirks = { ...ALL_ON }
  for (const name of off) {
    if (!isQuirk(name))
      throw new TwinError('TWIN_USAGE', `unknown quirk "${name}"; known: ${Object.keys(QUIRKS).join(', ')}`)
    quirks[name] = false
  }
  return quirks
}

function isQuirk(name: string): name is QuirkName {
  return Object.hasOwn(QUIRKS, name)
}
