import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * Keeps compiled code between processes, in the user's cache folder: stripping types and compiling is most of a start.
 * Node looks after what is in there (by version and contents); `NODE_COMPILE_CACHE` names another folder,
 * `NODE_DISABLE_COMPILE_CACHE=1` goes without. Worker threads inherit it by the environment.
 */
export function keepCompiledCode(): void {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  process.env['NODE_COMPILE_CACHE'] ??= join(cache, 'rollout-twin')
  // What comes back says whether it works; without it everything is as right, only slower.
  enableCompileCache(process.env['NODE_COMPILE_CACHE'])
}
