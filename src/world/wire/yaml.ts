import { createRequire } from 'node:module'
import type * as Yaml from 'yaml'

const load = createRequire(import.meta.url)

/** The YAML library, loaded by the first body that is YAML: next to none is, and a start need not wait for it. */
export function yaml(): typeof Yaml {
  return load('yaml') as typeof Yaml
}
