import { unknownResourceStatus } from '../../lib/apimachinery/index.ts'
import type { ApiResponse } from '../../kinds/index.ts'
import type { Core } from './core.ts'
import { parseAccept } from './media-type.ts'
import { compareVersions } from './registry.ts'
import { BUILTINS, type ResourceInfo, type Subresource } from './resources.ts'

/** What `/version` says. */
export const SERVER_VERSION: Readonly<Record<string, string>> = {
  major: '1',
  minor: '36',
  emulationMajor: '1',
  emulationMinor: '36',
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '35',
  gitVersion: 'v1.36.3',
  gitCommit: '0000000000000000000000000000000000000000',
  gitTreeState: 'clean',
  buildDate: '2026-07-01T00:00:00Z',
  goVersion: 'go1.26.8',
  compiler: 'gc',
  platform: 'linux/amd64'
}

interface GroupVersions {
  readonly group: string
  /** Best first. */
  readonly versions: readonly string[]
}

function groupsOf(core: Core): GroupVersions[] {
  const groups = new Map<string, string[]>()
  for (const { group, version } of BUILTINS) addVersion(groups, group, version)
  const custom = new Map<string, string[]>()
  for (const { group, version } of core.registry.custom()) addVersion(custom, group, version)
  for (const [group, versions] of custom) {
    versions.sort(compareVersions)
    for (const version of versions) addVersion(groups, group, version)
  }
  return [...groups].map(([group, versions]) => ({ group, versions }))
}

function addVersion(groups: Map<string, string[]>, group: string, version: string): void {
  const versions = groups.get(group) ?? []
  groups.set(group, versions)
  if (!versions.includes(version)) versions.push(version)
}

function groupVersion(group: string, version: string): { groupVersion: string; version: string } {
  return { groupVersion: `${group}/${version}`, version }
}

function apiGroup({ group, versions }: GroupVersions): Record<string, unknown> {
  const [preferred = ''] = versions
  return {
    name: group,
    versions: versions.map((version) => groupVersion(group, version)),
    preferredVersion: groupVersion(group, preferred)
  }
}

function resourceEntries(info: ResourceInfo): Record<string, unknown>[] {
  const main = {
    name: info.resource,
    singularName: info.singular,
    namespaced: info.namespaced,
    kind: info.kind,
    verbs: info.verbs,
    ...(info.shortNames.length === 0 ? {} : { shortNames: info.shortNames }),
    ...(info.categories.length === 0 ? {} : { categories: info.categories }),
    ...(info.storageVersionHash === '' ? {} : { storageVersionHash: info.storageVersionHash })
  }
  const subs = [...info.subresources.values()].map((sub) => ({
    name: `${info.resource}/${sub.name}`,
    singularName: '',
    namespaced: info.namespaced,
    ...(sub.group === '' ? {} : { group: sub.group, version: sub.version }),
    kind: sub.kind,
    verbs: sub.verbs
  }))
  return [main, ...subs]
}

function resourcesOf(core: Core, group: string, version: string): readonly ResourceInfo[] {
  return core.registry.all().filter((info) => info.group === group && info.version === version)
}

function aggregatedResource(info: ResourceInfo): Record<string, unknown> {
  const isCustom = info.crd !== undefined
  const own = { group: isCustom ? info.group : '', version: isCustom ? info.version : '', kind: info.kind }
  const subKind = (sub: Subresource): Record<string, string> =>
    sub.group === '' ? { ...own, kind: sub.kind } : { group: sub.group, version: sub.version, kind: sub.kind }
  const subresources = [...info.subresources.values()].map((sub) => ({
    subresource: sub.name,
    responseKind: subKind(sub),
    verbs: sub.verbs
  }))
  return {
    resource: info.resource,
    responseKind: own,
    scope: info.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: info.singular,
    verbs: info.verbs,
    ...(info.shortNames.length === 0 ? {} : { shortNames: info.shortNames }),
    ...(info.categories.length === 0 ? {} : { categories: info.categories }),
    ...(subresources.length === 0 ? {} : { subresources })
  }
}

function aggregated(core: Core, isCore: boolean, version: string): ApiResponse {
  const groups = groupsOf(core).filter(({ group }) => (group === '') === isCore)
  const items = groups.map(({ group, versions }) => ({
    metadata: group === '' ? {} : { name: group },
    versions: versions.map((one) => ({
      version: one,
      resources: resourcesOf(core, group, one).map(aggregatedResource),
      freshness: 'Current'
    }))
  }))
  const type = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`
  return {
    code: 200,
    headers: { 'content-type': type },
    body: { kind: 'APIGroupDiscoveryList', apiVersion: `apidiscovery.k8s.io/${version}`, metadata: {}, items }
  }
}

/** The version of aggregated discovery a client prefers, if it prefers one. */
function aggregatedVersion(accept: string | undefined): string | undefined {
  for (const { type, parameters } of parseAccept(accept ?? '')) {
    if (type !== 'application/json') continue
    if (parameters['as'] === undefined) return undefined
    const isAsked = parameters['as'] === 'APIGroupDiscoveryList' && parameters['g'] === 'apidiscovery.k8s.io'
    if (isAsked && (parameters['v'] === 'v2' || parameters['v'] === 'v2beta1')) return parameters['v']
  }
  return undefined
}

function json(body: unknown): ApiResponse {
  return { code: 200, headers: { 'content-type': 'application/json' }, body }
}

function notFound(): ApiResponse {
  return { code: 404, headers: { 'content-type': 'application/json' }, body: unknownResourceStatus() }
}

function plainNotFound(): ApiResponse {
  return { code: 404, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: '404 page not found\n' }
}

/**
 * Answers `/api…` and `/apis…` paths that name no resource: discovery, legacy or aggregated.
 * @param core - the server
 * @param path - path without query
 * @param accept - Accept header
 */
export function discover(core: Core, path: string, accept: string | undefined): ApiResponse {
  const parts = path.split('/').filter((part) => part !== '')
  const [prefix, group, version] = parts
  if (parts.length === 1) {
    const preferred = aggregatedVersion(accept)
    if (preferred !== undefined) return aggregated(core, prefix === 'api', preferred)
    return json(prefix === 'api' ? legacyVersions(core) : groupList(core))
  }
  if (prefix === 'api') return parts.length === 2 && group === 'v1' ? json(resourceList(core, '', 'v1')) : notFound()
  const found = groupsOf(core).find((one) => one.group === group && one.group !== '')
  if (parts.length === 2)
    return found === undefined ? plainNotFound() : json({ kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(found) })
  if (found === undefined || version === undefined) return plainNotFound()
  return found.versions.includes(version) ? json(resourceList(core, found.group, version)) : notFound()
}

function legacyVersions(core: Core): Record<string, unknown> {
  const addresses = [{ clientCIDR: '0.0.0.0/0', serverAddress: core.serverAddress }]
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: addresses }
}

function groupList(core: Core): Record<string, unknown> {
  const groups = groupsOf(core).filter(({ group }) => group !== '')
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(apiGroup) }
}

function resourceList(core: Core, group: string, version: string): Record<string, unknown> {
  const resources = resourcesOf(core, group, version).flatMap(resourceEntries)
  const header =
    group === ''
      ? { kind: 'APIResourceList', groupVersion: version }
      : { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: `${group}/${version}` }
  return { ...header, resources }
}
