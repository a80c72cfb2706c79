import { deepEqual, isJsonMap } from '../../lib/apimachinery/index.ts'
import type { KubeObject } from '../../kinds/index.ts'
import { formatTimestamp, parseTimestamp, type Timeline } from '../../lib/time/index.ts'
import type { Core } from './core.ts'
import { isEstablished, withCondition, type CrdCondition } from './crd-status.ts'
import { compiledCrd } from './registry.ts'
import type { ResourceInfo, StoragePlace } from './resources.ts'
import type { Warnings } from './warnings.ts'

const CRD_PLACE: StoragePlace = {
  group: 'apiextensions.k8s.io',
  resource: 'customresourcedefinitions',
  apiVersion: 'apiextensions.k8s.io/v1'
}

/** Finalizer that keeps a definition until its objects are gone. */
export const CRD_CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io'

/**
 * What a definition has when it is created: nothing accepted yet. Its life-cycle follows in {@link crdChanged}.
 * @param object - candidate
 * @param existing - stored definition; undefined on creation
 * @param warnings - takes unrecognized formats
 */
export function prepareCrd(object: KubeObject, existing: KubeObject | undefined, warnings: Warnings): KubeObject {
  for (const warning of compiledCrd(object).warnings) warnings.add(warning)
  const status = isJsonMap(object.status) ? object.status : {}
  if (existing !== undefined) return { ...object, status: { ...status, storedVersions: storedVersions(object) } }
  const accepted = { kind: '', plural: '' }
  return { ...object, status: { acceptedNames: accepted, conditions: null, storedVersions: storedVersions(object) } }
}

function storedVersions(crd: KubeObject): string[] {
  const status = isJsonMap(crd.status) ? crd.status : {}
  const known = Array.isArray(status['storedVersions']) ? (status['storedVersions'] as string[]) : []
  const storage = compiledCrd(crd).versions.find((version) => version.storage)?.name
  return storage === undefined || known.includes(storage) ? known : [...known, storage]
}

interface Verdict {
  readonly conditions: readonly CrdCondition[]
  readonly acceptedNames: Record<string, unknown>
}

/** The first name of a definition that another one of its group has already. */
function nameConflict(core: Core, crd: KubeObject): { reason: string; name: string } | undefined {
  const names = acceptable(crd)
  const taken = { names: new Set<string>(), kinds: new Set<string>() }
  for (const other of core.store.list(CRD_PLACE.group, CRD_PLACE.resource)) {
    if (other.metadata.name === crd.metadata.name || groupOf(other) !== groupOf(crd)) continue
    const held = acceptable(other, true)
    for (const name of [held.plural, held.singular, ...held.shortNames]) if (name !== '') taken.names.add(name)
    for (const kind of [held.kind, held.listKind]) if (kind !== '') taken.kinds.add(kind)
  }
  const checks: readonly (readonly [string, string, ReadonlySet<string>])[] = [
    ['PluralConflict', names.plural, taken.names],
    ['SingularConflict', names.singular, taken.names],
    ...names.shortNames.map((name) => ['ShortNamesConflict', name, taken.names] as const),
    ['KindConflict', names.kind, taken.kinds],
    ['ListKindConflict', names.listKind, taken.kinds]
  ]
  // The last conflict that is found is the one that is reported.
  const found = checks.filter(([, name, set]) => set.has(name)).at(-1)
  return found === undefined ? undefined : { reason: found[0], name: found[1] }
}

interface Names {
  readonly plural: string
  readonly singular: string
  readonly kind: string
  readonly listKind: string
  readonly shortNames: readonly string[]
}

function groupOf(crd: KubeObject): unknown {
  return isJsonMap(crd.spec) ? crd.spec['group'] : undefined
}

function acceptable(crd: KubeObject, onlyAccepted = false): Names {
  const status = isJsonMap(crd.status) ? crd.status : {}
  const source = onlyAccepted ? status['acceptedNames'] : isJsonMap(crd.spec) ? crd.spec['names'] : undefined
  const names = isJsonMap(source) ? source : {}
  const text = (field: string): string => (typeof names[field] === 'string' ? names[field] : '')
  return {
    plural: text('plural'),
    singular: text('singular'),
    kind: text('kind'),
    listKind: text('listKind'),
    shortNames: Array.isArray(names['shortNames']) ? names['shortNames'].map(String) : []
  }
}

/** Conditions and accepted names of a definition (apiextensions controllers `status` and `establish`). */
function judge(core: Core, crd: KubeObject): Verdict {
  const lastTransitionTime = formatTimestamp(core.clock.now())
  const spec = isJsonMap(crd.spec) ? crd.spec : {}
  const status = isJsonMap(crd.status) ? crd.status : {}
  const conflict = nameConflict(core, crd)
  const accepted: CrdCondition =
    conflict === undefined
      ? {
          type: 'NamesAccepted',
          status: 'True',
          reason: 'NoConflicts',
          message: 'no conflicts found',
          lastTransitionTime
        }
      : {
          type: 'NamesAccepted',
          status: 'False',
          reason: conflict.reason,
          message: `"${conflict.name}" is already in use`,
          lastTransitionTime
        }
  const isKept = isEstablished(crd)
  const established: CrdCondition =
    conflict === undefined || isKept
      ? {
          type: 'Established',
          status: 'True',
          reason: 'InitialNamesAccepted',
          message: 'the initial names have been accepted',
          lastTransitionTime
        }
      : {
          type: 'Established',
          status: 'False',
          reason: 'NotAccepted',
          message: 'not all names are accepted',
          lastTransitionTime
        }
  let changed: KubeObject = { ...crd, status: { ...status, conditions: withCondition(crd, accepted) } }
  changed = { ...changed, status: { ...status, conditions: withCondition(changed, established) } }
  const approval = approvalCondition(crd, lastTransitionTime)
  const conditions = approval === undefined ? withCondition(changed, established) : withCondition(changed, approval)
  const names = conflict === undefined ? spec['names'] : (status['acceptedNames'] ?? { kind: '', plural: '' })
  return { conditions, acceptedNames: names as Record<string, unknown> }
}

const APPROVAL_ANNOTATION = 'api-approved.kubernetes.io'

/** Groups of the community need an approval (apiextensions controller `apiapproval`). */
function approvalCondition(crd: KubeObject, lastTransitionTime: string): CrdCondition | undefined {
  const group = String(groupOf(crd))
  if (!/(^|\.)(k8s|kubernetes)\.io$/.test(group)) return undefined
  const type = 'KubernetesAPIApprovalPolicyConformant'
  const given = crd.metadata.annotations?.[APPROVAL_ANNOTATION] ?? ''
  if (given.startsWith('https://')) {
    return { type, status: 'True', reason: 'ApprovedAnnotation', message: `approved in ${given}`, lastTransitionTime }
  }
  if (given.startsWith('unapproved')) {
    const message = `not approved: "${given}"`
    return { type, status: 'False', reason: 'UnapprovedAnnotation', message, lastTransitionTime }
  }
  const message = `protected groups must have approval annotation "${APPROVAL_ANNOTATION}", see https://github.com/kubernetes/enhancements/pull/1111`
  return { type, status: 'False', reason: 'MissingAnnotation', message, lastTransitionTime }
}

/**
 * Accepts the names of a stored definition, establishes and serves it at once (upstream controllers do so a moment later).
 * @param core - the server
 * @param object - stored definition
 */
export function crdChanged(core: Core, object: KubeObject): void {
  if (object.metadata.deletionTimestamp !== undefined) return
  const verdict = judge(core, object)
  const status = isJsonMap(object.status) ? object.status : {}
  const isSame =
    deepEqual(status['conditions'], verdict.conditions) && deepEqual(status['acceptedNames'], verdict.acceptedNames)
  const settled = isSame
    ? object
    : core.store.put(
        CRD_PLACE,
        { ...object, metadata: { ...object.metadata }, status: { ...status, ...verdict } },
        object
      )
  if (isEstablished(settled)) core.registry.install(settled)
}

/** Definitions that waited for names get them when another one goes. */
function reconsider(core: Core): void {
  for (const crd of core.store.list(CRD_PLACE.group, CRD_PLACE.resource)) if (!isEstablished(crd)) crdChanged(core, crd)
}

/**
 * Stops serving a removed definition.
 * @param core - the server
 * @param name - of the definition
 */
export function crdRemoved(core: Core, name: string): void {
  core.registry.uninstall(name)
  reconsider(core)
}

/**
 * Begins the removal of a definition: its objects are deleted; it goes when the last of them has gone.
 * @param core - the server
 * @param crd - definition with deletionTimestamp, stored
 */
export function terminateCrd(core: Core, crd: KubeObject): void {
  const compiled = compiledCrd(crd)
  const place = { group: compiled.group, resource: compiled.names.plural, apiVersion: '' }
  for (const object of core.store.list(place.group, place.resource)) {
    if ((object.metadata.finalizers ?? []).length === 0) core.store.remove(place, object)
    else if (object.metadata.deletionTimestamp === undefined) markDeleted(core, place, object)
  }
  finishCrd(core, crd)
}

function markDeleted(core: Core, place: StoragePlace, object: KubeObject): void {
  const deleted = { deletionTimestamp: formatTimestamp(core.clock.now()), deletionGracePeriodSeconds: 0 }
  core.store.put(place, { ...object, metadata: { ...object.metadata, ...deleted } }, object)
}

function finishCrd(core: Core, crd: KubeObject): void {
  const compiled = compiledCrd(crd)
  const left = core.store.list(compiled.group, compiled.names.plural).length
  const now = formatTimestamp(core.clock.now())
  if (left === 0) {
    const finalizers = (crd.metadata.finalizers ?? []).filter((one) => one !== CRD_CLEANUP_FINALIZER)
    if (finalizers.length === 0) {
      core.store.remove(CRD_PLACE, crd)
      crdRemoved(core, crd.metadata.name)
    } else core.store.put(CRD_PLACE, { ...crd, metadata: { ...crd.metadata, finalizers } }, crd)
    return
  }
  const condition: CrdCondition = {
    type: 'Terminating',
    status: 'True',
    reason: 'InstanceDeletionInProgress',
    message: 'CustomResource deletion is in progress',
    lastTransitionTime: now
  }
  const status = isJsonMap(crd.status) ? crd.status : {}
  const stored = core.store.put(
    CRD_PLACE,
    { ...crd, metadata: { ...crd.metadata }, status: { ...status, conditions: withCondition(crd, condition) } },
    crd
  )
  core.registry.install(stored)
}

/** Time between two looks at the objects that a terminating definition still has. */
const CLEANUP_PERIOD_MS = 5000

/**
 * Ends the removal of a definition when its last object has gone: at the next of the looks that are taken every 5 s since its
 * deletion (apiextensions `finalizer/crd_finalizer.go` deleteInstances), or at once where the clock schedules nothing.
 * @param core - the server
 * @param info - custom resource of which an object was removed
 */
export function removeCrdWhenEmpty(core: Core, info: ResourceInfo): void {
  const name = `${info.resource}.${info.group}`
  const crd = core.store.get(CRD_PLACE.group, CRD_PLACE.resource, undefined, name)
  const since = crd?.metadata.deletionTimestamp
  if (since === undefined || !isEmpty(core, info)) return
  const finish = (): void => {
    const current = core.store.get(CRD_PLACE.group, CRD_PLACE.resource, undefined, name)
    const isSame = current?.metadata.uid === crd?.metadata.uid
    if (current?.metadata.deletionTimestamp !== undefined && isSame && isEmpty(core, info)) finishCrd(core, current)
  }
  const { clock } = core
  if (!isTimeline(clock)) return finish()
  const elapsedMs = clock.now() - (parseTimestamp(since) ?? clock.now())
  clock.at(clock.now() + CLEANUP_PERIOD_MS - (elapsedMs % CLEANUP_PERIOD_MS), finish)
}

function isEmpty(core: Core, info: ResourceInfo): boolean {
  return core.store.list(info.storage.group, info.storage.resource).length === 0
}

function isTimeline(clock: Core['clock']): clock is Timeline {
  return 'at' in clock
}
