import { createHash } from 'node:crypto'
import { BUILTIN_RESOURCES, type ResourceRow } from './resource-table.data.ts'
import type { CompiledCrdVersion } from '../../lib/apimachinery/index.ts'

/** A sub-resource of a resource. */
export interface Subresource {
  readonly name: string
  readonly kind: string
  /** Group and version of its kind; empty where they are those of the resource. */
  readonly group: string
  readonly version: string
  readonly verbs: readonly string[]
}

/** Where objects of a resource are kept: several versions (and for events two groups) share one place. */
export interface StoragePlace {
  readonly group: string
  readonly resource: string
  /** `group/version` in which objects are stored. */
  readonly apiVersion: string
}

/** One resource in one version. */
export interface ResourceInfo {
  readonly group: string
  readonly version: string
  /** `v1`, `apps/v1`. */
  readonly apiVersion: string
  readonly resource: string
  /** `apps/deployments`; of the core group `/pods`. */
  readonly groupResource: string
  readonly singular: string
  readonly kind: string
  /** Whether a definition defines it. */
  readonly isCustom: boolean
  readonly listKind: string
  readonly namespaced: boolean
  readonly verbs: readonly string[]
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly subresources: ReadonlyMap<string, Subresource>
  readonly storage: StoragePlace
  readonly storageVersionHash: string
  /** Set for custom resources. */
  readonly crd?: CompiledCrdVersion
}

/** The eight verbs of an ordinary resource. */
export const ALL_VERBS: readonly string[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch'
]

/** Resources whose objects are stored in another version or group than they are served in. */
const STORED_ELSEWHERE: Readonly<Record<string, { group: string; apiVersion: string }>> = {
  'events.k8s.io/v1/events': { group: '', apiVersion: 'v1' },
  'autoscaling/v1/horizontalpodautoscalers': { group: 'autoscaling', apiVersion: 'autoscaling/v2' }
}

/** Kinds whose storage version is an old one. */
const HASHED_AS: Readonly<Record<string, string>> = { CustomResourceDefinition: 'apiextensions.k8s.io/v1beta1' }

/**
 * `v1` for the core group, `apps/v1` for others.
 * @param group - `''` for core
 * @param version - e.g. `v1`
 */
export function apiVersionOf(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`
}

/**
 * Hash that discovery shows for the version objects are stored in (apiserver `discovery.StorageVersionHash`).
 * @param apiVersion - version of the storage
 * @param kind - kind
 */
export function storageVersionHash(apiVersion: string, kind: string): string {
  const text = apiVersion.includes('/') ? `${apiVersion}/${kind}` : `/${apiVersion}/${kind}`
  const known = HASHES.get(text)
  if (known !== undefined) return known
  const hash = createHash('sha256').update(text).digest().subarray(0, 8).toString('base64')
  if (HASHES.size >= MAX_HASHES) HASHES.clear()
  HASHES.set(text, hash)
  return hash
}

const HASHES = new Map<string, string>()
const MAX_HASHES = 4096

function words(list: string): string[] {
  return list === '' ? [] : list.split(',')
}

function parseSubresource(text: string): Subresource {
  const [name = '', kindText = '', verbs = ''] = text.split(':')
  const parts = kindText.split('/')
  const [kind = '', version = '', group = ''] = parts.toReversed()
  return { name, kind, group, version, verbs: words(verbs) }
}

function fromRow(row: ResourceRow): ResourceInfo {
  const [group, version, resource, singular, kind, scope, verbs, shortNames, categories, subresources] = row
  const apiVersion = apiVersionOf(group, version)
  const elsewhere = STORED_ELSEWHERE[`${apiVersion}/${resource}`]
  const storage = { group, resource, apiVersion, ...elsewhere }
  const subs = subresources === '' ? [] : subresources.split(' ').map(parseSubresource)
  const verbList = verbs === '*' ? ALL_VERBS : words(verbs)
  return {
    group,
    version,
    apiVersion,
    resource,
    groupResource: `${group}/${resource}`,
    singular,
    kind,
    isCustom: false,
    listKind: `${kind}List`,
    namespaced: scope === 'N',
    verbs: verbList,
    shortNames: words(shortNames),
    categories: words(categories),
    subresources: new Map(subs.map((sub) => [sub.name, sub])),
    storage,
    storageVersionHash: verbList.includes('watch')
      ? storageVersionHash(HASHED_AS[kind] ?? storage.apiVersion, kind)
      : ''
  }
}

/** The built-in resources in discovery order. */
export const BUILTINS: readonly ResourceInfo[] = BUILTIN_RESOURCES.map(fromRow)

/**
 * Key of a resource in the lookup tables.
 * @param group - `''` for core
 * @param version - e.g. `v1`
 * @param resource - plural
 */
export function resourceKey(group: string, version: string, resource: string): string {
  return `${group}/${version}/${resource}`
}
