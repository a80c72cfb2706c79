import { createHash } from 'node:crypto'
import { stableStringify } from '../../lib/apimachinery/index.ts'
import { keptOfFrozen } from '../../lib/memory/index.ts'
import type { Canary, KubeObject } from '../../kinds/index.ts'
import { log, type Plan } from './effects.ts'
import { failureOf, outcomeOf, StepFailed, wrapped } from './failure.ts'
import { includedByPrefix } from './metadata.ts'
import {
  controllerReference,
  createObject,
  findObject,
  getObject,
  RESOURCES,
  updateObject,
  type Draft,
  type Resource
} from './objects.ts'
import type { ControllerSettings } from './settings.ts'
import { fullName, namespaceOf } from './spec.ts'
import type { PodSpec } from './targets/workload.ts'

/** Secret types that are tracked. */
const TRACKED_SECRET_TYPES = new Set([
  'Opaque',
  'kubernetes.io/basic-auth',
  'kubernetes.io/ssh-auth',
  'kubernetes.io/tls'
])
const DISABLED_ANNOTATION = 'flagger.app/config-tracking'

/** A tracked ConfigMap or Secret. */
export interface TrackedConfig {
  readonly type: 'configmap' | 'secret'
  readonly name: string
  readonly checksum: string
}

/** Tracked configs by key `<type>/<name>`, ConfigMaps first, each by name (Flagger's own order is random). */
export type TrackedConfigs = ReadonlyMap<string, TrackedConfig>

/**
 * The configs that a pod spec refers to, with their checksums.
 * @throws StepFailed when a mandatory one is missing
 * @see fluxcd/flagger pkg/canary/config_tracker.go GetTargetConfigs 1.44.0
 */
export function* targetConfigs(settings: ControllerSettings, canary: Canary, pod: PodSpec): Plan<TrackedConfigs> {
  const tracked = new Map<string, TrackedConfig>()
  if (!settings.configTracking) return tracked
  for (const [key, mandatory] of referredConfigs(pod)) {
    const [type = '', name = ''] = splitKey(key)
    const config = yield* readConfig(canary, type as TrackedConfig['type'], name, mandatory)
    if (config !== undefined) tracked.set(key, config)
  }
  return tracked
}

/** The record that status.trackedConfigs keeps; undefined with tracking switched off. */
export function configRecord(
  settings: ControllerSettings,
  configs: TrackedConfigs
): Record<string, string> | undefined {
  if (!settings.configTracking) return undefined
  return Object.fromEntries([...configs].map(([key, config]) => [key, config.checksum]))
}

/** Whether the configs differ from those recorded in status. */
export function* configsChanged(settings: ControllerSettings, canary: Canary, configs: TrackedConfigs): Plan<boolean> {
  if (!settings.configTracking) return false
  const recorded = canary.status?.trackedConfigs
  if (recorded === undefined) return configs.size > 0
  if (configs.size !== Object.keys(recorded).length) return true
  for (const [key, config] of configs) {
    if ((recorded[key] ?? '') === config.checksum) continue
    yield* log('info', `${config.type} ${config.name} has changed`, fullName(canary))
    return true
  }
  return false
}

/** Writes `<name>-primary` copies: an update first, a creation when there is none yet. */
export function* createPrimaryConfigs(
  settings: ControllerSettings,
  canary: Canary,
  configs: TrackedConfigs
): Plan<void> {
  for (const config of configs.values()) yield* createPrimaryConfig(settings, canary, config)
}

/** The pod spec with every reference to a tracked config renamed. */
export function withPrimaryConfigs(pod: PodSpec, configs: TrackedConfigs): PodSpec {
  const rename = (type: TrackedConfig['type'], name: string | undefined): string | undefined =>
    name !== undefined && configs.has(`${type}/${name}`) ? `${name}-primary` : name
  visitReferences(pod, (holder, field, type) => {
    const renamed = rename(type, holder[field] as string | undefined)
    if (renamed !== undefined) holder[field] = renamed
  })
  return pod
}

function* readConfig(
  canary: Canary,
  type: TrackedConfig['type'],
  name: string,
  mandatory: boolean
): Plan<TrackedConfig | undefined> {
  const namespace = namespaceOf(canary)
  const failing = `${type} ${name}.${namespace} get query error: `
  const object = yield* outcomeOf(getObject(resourceOf(type), namespace, name, failing))
  if (object instanceof StepFailed) {
    if (mandatory) {
      const cause = type === 'configmap' ? { reason: object.reason } : {}
      throw new StepFailed(`${failing}${object.message}`, cause)
    }
    yield* log('error', `${type} ${name}.${namespace} get query failed: ${object.message}`)
    return undefined
  }
  if (type === 'secret' && !TRACKED_SECRET_TYPES.has(String(object['type'] ?? ''))) {
    const place = `${name}.${namespace}`
    yield* log('debug', `ignoring secret ${place} type not supported ${String(object['type'] ?? '')}`)
    return undefined
  }
  if ((object.metadata.annotations?.[DISABLED_ANNOTATION] ?? '').startsWith('disable')) return undefined
  return { type, name, checksum: checksum(object['data']) }
}

/** First 8 bytes of SHA-256 over Go's JSON of `data`, as hexadecimal digits. */
function checksum(data: unknown): string {
  const json = stableStringify(data ?? null).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  )
  return createHash('sha256').update(json).digest('hex').slice(0, 16)
}

function* createPrimaryConfig(settings: ControllerSettings, canary: Canary, config: TrackedConfig): Plan<void> {
  const { type } = config
  const namespace = namespaceOf(canary)
  const name = `${config.name}-primary`
  const source = yield* queried(type, config.name, namespace, getObject(resourceOf(type), namespace, config.name))
  const existing = yield* queried(type, name, namespace, findObject(resourceOf(type), namespace, name))
  const draft: Draft = {
    metadata: {
      name,
      namespace,
      labels: includedByPrefix(source.metadata.labels, settings.includeLabelPrefix),
      ownerReferences: ownersOf(canary, existing)
    },
    ...(type === 'secret' ? { type: source['type'] } : {}),
    ...(source['data'] === undefined ? {} : { data: source['data'] })
  }
  yield* putOrPost(type, namespace, draft)
  yield* log('info', `${type === 'secret' ? 'Secret' : 'ConfigMap'} ${name} synced`, fullName(canary))
}

function queried<Value>(type: string, name: string, namespace: string, plan: Plan<Value>): Plan<Value> {
  return wrapped(`${type} ${name}.${namespace} get query failed : `, plan)
}

function* putOrPost(type: TrackedConfig['type'], namespace: string, draft: Draft): Plan<void> {
  const { name } = draft.metadata
  const failure = yield* failureOf(updateObject(resourceOf(type), namespace, draft))
  if (failure === undefined) return
  if (failure.reason !== 'NotFound') {
    throw new StepFailed(`updating ${type} ${name}.${namespace} failed: ${failure.message}`, { reason: failure.reason })
  }
  yield* wrapped(`creating ${type} ${name}.${namespace} failed: `, createObject(resourceOf(type), namespace, draft))
}

/** This canary as controller, then the other owners of an existing copy. */
function ownersOf(
  canary: Canary,
  existing: KubeObject | undefined
): KubeObject['metadata']['ownerReferences'] & object {
  const others = (existing?.metadata.ownerReferences ?? [])
    .filter((owner) => owner.kind !== 'Canary' || owner.name !== canary.metadata.name)
    .map((owner) => ({ ...owner, controller: false }))
  return [controllerReference(canary), ...others]
}

function resourceOf(type: TrackedConfig['type']): Resource {
  return type === 'configmap' ? RESOURCES.configMaps : RESOURCES.secrets
}

/** Keys of the configs a pod spec refers to, and whether they must exist. */
type ReferredConfigs = readonly (readonly [string, boolean])[]

/** What is stored refers to the same as long as it is there. */
const referredConfigs = keptOfFrozen(findConfigs)

/** The last reference to a name decides whether it must exist. */
function findConfigs(pod: PodSpec): ReferredConfigs {
  const found = new Map<string, boolean>()
  visitReferences(pod, (holder, field, type) => {
    const name = holder[field]
    if (typeof name === 'string') found.set(`${type}/${name}`, holder['optional'] !== true)
  })
  return [...found].sort(([left], [right]) => (left < right ? -1 : 1))
}

function splitKey(key: string): readonly [string, string] {
  const slash = key.indexOf('/')
  return [key.slice(0, slash), key.slice(slash + 1)]
}

type Holder = Record<string, unknown>
type Visit = (holder: Holder, field: string, type: TrackedConfig['type']) => void

/** Where a name stands: the field of a parent that refers to a config, the name's own field in it, and the kind. */
type ReferenceField = readonly [key: string, field: string, type: TrackedConfig['type']]

/** Calls back for each reference to a ConfigMap or Secret, in the order in which Flagger scans them. */
function visitReferences(pod: PodSpec, visit: Visit): void {
  for (const volume of pod.volumes ?? []) visitVolume(volume, visit)
  for (const container of [...(pod.containers ?? []), ...(pod.initContainers ?? [])]) {
    for (const entry of asHolders(container['env'])) {
      const from = (entry['valueFrom'] ?? {}) as Holder
      visitFirst(
        from,
        [
          ['configMapKeyRef', 'name', 'configmap'],
          ['secretKeyRef', 'name', 'secret']
        ],
        visit
      )
    }
    for (const entry of asHolders(container['envFrom'])) {
      visitFirst(
        entry,
        [
          ['configMapRef', 'name', 'configmap'],
          ['secretRef', 'name', 'secret']
        ],
        visit
      )
    }
  }
}

function visitVolume(volume: Holder, visit: Visit): void {
  visitField(volume, ['configMap', 'name', 'configmap'], visit)
  visitField(volume, ['secret', 'secretName', 'secret'], visit)
  for (const source of asHolders((volume['projected'] as Holder | undefined)?.['sources'])) {
    visitField(source, ['configMap', 'name', 'configmap'], visit)
    visitField(source, ['secret', 'name', 'secret'], visit)
  }
}

function visitFirst(parent: Holder, references: readonly ReferenceField[], visit: Visit): void {
  for (const reference of references) if (visitField(parent, reference, visit)) return
}

function visitField(parent: Holder, [key, field, type]: ReferenceField, visit: Visit): boolean {
  const holder = parent[key]
  if (typeof holder !== 'object' || holder === null) return false
  visit(holder as Holder, field, type)
  return true
}

function asHolders(value: unknown): readonly Holder[] {
  return Array.isArray(value) ? (value as Holder[]) : []
}
