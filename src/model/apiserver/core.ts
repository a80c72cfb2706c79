import type { Clock } from '../../lib/time/index.ts'
import type { Random } from '../../lib/random/index.ts'
import type { ApiRequest, KubeObject } from '../../kinds/index.ts'
import type { RequestInfo } from './request-info.ts'
import type { ResourceInfo, Subresource } from './resources.ts'
import type { Registry } from './registry.ts'
import type { Store } from './store.ts'
import type { Warnings } from './warnings.ts'

/** Documentation of API fields, read by a world from a dependency that has it (this room does no I/O). */
export type Descriptions = (definition: string, field?: string) => string | undefined

/** What handling a request needs of the server. */
export interface Core {
  readonly store: Store
  readonly registry: Registry
  readonly clock: Clock
  readonly random: Random
  readonly newUid: () => string
  /** First two numbers of the range of cluster IPs and its length. */
  readonly serviceCidr: string
  readonly descriptions: Descriptions | undefined
  /** Address that discovery names; set by whoever binds the server. */
  serverAddress: string
}

/** A request whose path names a served resource. */
export interface ResourceCall {
  readonly core: Core
  readonly request: ApiRequest
  readonly query: Readonly<Record<string, string>>
  readonly path: RequestInfo
  readonly info: ResourceInfo
  readonly subresource: Subresource | undefined
  /** What the client is warned of; refusals carry it too. */
  readonly warnings: Warnings
}

/** The stored object a call names. */
export function storedObject(call: ResourceCall): KubeObject | undefined {
  const { storage, namespaced } = call.info
  const { namespace, name } = call.path
  return call.core.store.get(storage.group, storage.resource, namespaced ? namespace : undefined, name ?? '')
}

/** Whether the call must leave nothing behind. */
export function isDryRun(call: ResourceCall): boolean {
  return call.query['dryRun'] === 'All'
}

/**
 * Name of a client for managed fields.
 * @param given - query parameter `fieldManager`
 * @param agent - header `user-agent`, whose first part is taken otherwise
 */
export function managerName(given: string | undefined, agent: string = ''): string {
  if (given !== undefined && given !== '') return given
  const end = agent.indexOf('/')
  const name = end === -1 ? agent : agent.slice(0, end)
  return name === '' ? 'unknown' : name.slice(0, 128)
}
