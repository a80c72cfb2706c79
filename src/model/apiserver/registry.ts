import { compileCrd, isJsonMap, type CompiledCrd, type CompiledCrdVersion } from '../../lib/apimachinery/index.ts'
import type { KubeObject } from '../../kinds/index.ts'
import { isEstablished } from './crd-status.ts'
import {
  apiVersionOf,
  BUILTINS,
  resourceKey,
  storageVersionHash,
  type ResourceInfo,
  type Subresource
} from './resources.ts'

/** By the `spec` of a definition, of which nothing changes once it has been decoded. */
const COMPILED = new WeakMap<object, CompiledCrd>()

/**
 * The compiled form of a decoded definition; compiled once, whatever becomes of its status.
 * @param crd - CustomResourceDefinition
 */
export function compiledCrd(crd: KubeObject): CompiledCrd {
  const { spec } = crd
  if (!isJsonMap(spec)) return compileCrd(crd)
  const known = COMPILED.get(spec)
  if (known !== undefined) return known
  const compiled = compileCrd(crd)
  COMPILED.set(spec, compiled)
  return compiled
}

/** The order in which custom resources list their verbs. */
const CUSTOM_VERBS: readonly string[] = [
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'create',
  'update',
  'watch'
]
const SUB_VERBS: readonly string[] = ['get', 'patch', 'update']

function customSubresources(compiled: CompiledCrd, version: CompiledCrdVersion): Map<string, Subresource> {
  const subs = new Map<string, Subresource>()
  const kind = compiled.names.kind
  if (version.status) subs.set('status', { name: 'status', kind, group: '', version: '', verbs: SUB_VERBS })
  if (version.scale !== undefined) {
    subs.set('scale', { name: 'scale', kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: SUB_VERBS })
  }
  return subs
}

const RESOURCES = new WeakMap<CompiledCrd, readonly ResourceInfo[]>()

/** The resources a definition serves, made once. */
function customResources(compiled: CompiledCrd): readonly ResourceInfo[] {
  const known = RESOURCES.get(compiled)
  if (known !== undefined) return known
  const served = compiled.versions.filter((version) => version.served)
  const resources = served.map((version) => customResource(compiled, version))
  RESOURCES.set(compiled, resources)
  return resources
}

function customResource(compiled: CompiledCrd, version: CompiledCrdVersion): ResourceInfo {
  const { group, names, scope } = compiled
  const stored = compiled.versions.find((one) => one.storage) ?? version
  const storageApiVersion = apiVersionOf(group, stored.name)
  return {
    group,
    version: version.name,
    apiVersion: apiVersionOf(group, version.name),
    resource: names.plural,
    groupResource: `${group}/${names.plural}`,
    singular: names.singular,
    kind: names.kind,
    isCustom: true,
    listKind: names.listKind,
    namespaced: scope === 'Namespaced',
    verbs: CUSTOM_VERBS,
    shortNames: names.shortNames,
    categories: names.categories,
    subresources: customSubresources(compiled, version),
    storage: { group, resource: names.plural, apiVersion: storageApiVersion },
    storageVersionHash: storageVersionHash(storageApiVersion, names.kind),
    crd: version
  }
}

const BUILTIN_INDEX: ReadonlyMap<string, ResourceInfo> = new Map(
  BUILTINS.map((info) => [resourceKey(info.group, info.version, info.resource), info])
)

/** What stored lists of definitions serve: servers that are restored from one snapshot share one list. */
const SERVED = new WeakMap<readonly KubeObject[], ReadonlyMap<string, ResourceInfo>>()

/** Every resource that is served: the built-in ones and those of established definitions. */
export class Registry {
  readonly #crds = new Map<string, KubeObject>()
  /** The frozen list that all definitions are from; unset where one was changed since. */
  #list: readonly KubeObject[] | undefined
  /** Unset until somebody asks after a change. */
  #custom: ReadonlyMap<string, ResourceInfo> | undefined

  /**
   * The resource of that name, if it is served.
   * @param key - see {@link resourceKey}
   */
  find(key: string): ResourceInfo | undefined {
    return BUILTIN_INDEX.get(key) ?? this.#served().get(key)
  }

  /** Built-in resources in discovery order, then custom ones by group. */
  all(): readonly ResourceInfo[] {
    return [...BUILTINS, ...this.#served().values()]
  }

  /** Custom resources only. */
  custom(): readonly ResourceInfo[] {
    return [...this.#served().values()]
  }

  /** Takes a new or changed definition in. */
  install(crd: KubeObject): void {
    this.#crds.set(crd.metadata.name, crd)
    this.#change()
  }

  /** Stops serving what a definition defined. */
  uninstall(name: string): void {
    if (this.#crds.delete(name)) this.#change()
  }

  /**
   * Forgets all definitions and takes these.
   * @param crds - must not change any more
   */
  reset(crds: readonly KubeObject[]): void {
    this.#crds.clear()
    for (const crd of crds) this.#crds.set(crd.metadata.name, crd)
    this.#custom = SERVED.get(crds)
    this.#list = crds
  }

  #change(): void {
    this.#custom = undefined
    this.#list = undefined
  }

  #served(): ReadonlyMap<string, ResourceInfo> {
    if (this.#custom !== undefined) return this.#custom
    const served = this.#build()
    if (this.#list !== undefined) SERVED.set(this.#list, served)
    this.#custom = served
    return served
  }

  #build(): ReadonlyMap<string, ResourceInfo> {
    const custom: ResourceInfo[] = []
    for (const crd of this.#crds.values()) if (isEstablished(crd)) custom.push(...customResources(compiledCrd(crd)))
    // Within a version, resources keep the order in which their definitions came.
    custom.sort((left, right) => compare(left.group, right.group) || compareVersions(left.version, right.version))
    return new Map(custom.map((info) => [resourceKey(info.group, info.version, info.resource), info]))
  }
}

function compare(left: string, right: string): number {
  if (left === right) return 0
  return left < right ? -1 : 1
}

/**
 * Order of API versions, best first: `v2`, `v1`, `v1beta1`, `v1alpha1` (apimachinery `version.CompareKubeAwareVersionStrings`).
 * @param left - version
 * @param right - version
 */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [rank(left), rank(right)]
  if (a === undefined || b === undefined) {
    if (a !== undefined) return -1
    return b === undefined ? compare(left, right) : 1
  }
  return b.stage - a.stage || b.major - a.major || b.minor - a.minor
}

function rank(version: string): { stage: number; major: number; minor: number } | undefined {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version)
  if (match === null) return undefined
  const stage = match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0
  return { stage, major: Number(match[1]), minor: Number(match[3] ?? 0) }
}
