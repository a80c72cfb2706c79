import { resourceKey } from './resources.ts'

/** What a path of the resource API names. */
export interface RequestInfo {
  readonly group: string
  readonly version: string
  readonly namespace: string | undefined
  readonly resource: string
  readonly name: string | undefined
  readonly subresource: string | undefined
  /** Group, version and resource as lookup tables have them. */
  readonly key: string
  /** Path below the sub-resource (of a proxy). */
  readonly rest: readonly string[]
  /** The deprecated `/watch/` form of the path. */
  readonly isWatchPath: boolean
}

/**
 * Reads `/api/v1/namespaces/test/pods/x/status` and `/apis/apps/v1/deployments`, as apiserver's RequestInfoFactory does.
 * @param path - path without query
 * @returns undefined for paths that name no resource
 */
export function parseResourcePath(path: string): RequestInfo | undefined {
  const known = PARSED.get(path)
  if (known !== undefined) return known
  const parsed = parsePath(path)
  if (parsed === undefined) return undefined
  if (PARSED.size >= MAX_PARSED) PARSED.clear()
  PARSED.set(path, parsed)
  return parsed
}

/** Clients ask for the same few objects again and again. */
const PARSED = new Map<string, RequestInfo>()
const MAX_PARSED = 2048

function parsePath(path: string): RequestInfo | undefined {
  const [prefix, ...encoded] = path.split('/').filter((part) => part !== '')
  if (prefix !== 'api' && prefix !== 'apis') return undefined
  const parts = encoded.map(decode)
  const group = prefix === 'api' ? '' : parts.shift()
  const version = parts.shift()
  if (group === undefined || version === undefined || parts.length === 0) return undefined
  const isWatchPath = parts[0] === 'watch'
  if (isWatchPath) parts.shift()
  const scoped = parts[0] === 'namespaces' && parts.length > 2 && !NAMESPACE_SUBRESOURCES.has(parts[2] ?? '')
  const namespace = scoped ? parts[1] : undefined
  const [resource, name, subresource, ...rest] = scoped ? parts.slice(2) : parts
  if (resource === undefined) return undefined
  const key = resourceKey(group, version, resource)
  return { group, version, namespace, resource, name, subresource, key, rest, isWatchPath }
}

const NAMESPACE_SUBRESOURCES: ReadonlySet<string> = new Set(['status', 'finalize'])

function decode(part: string): string {
  if (!part.includes('%')) return part
  try {
    return decodeURIComponent(part)
  } catch (error) {
    if (error instanceof URIError) return part
    throw error
  }
}
