import {
  badRequestStatus,
  conflictStatus,
  invalidError,
  isJsonMap,
  labelSelectorText,
  selectorFromLabels,
  selectorFromObject
} from '../../lib/apimachinery/index.ts'
import type { ApiResponse, JsonObject, KubeObject } from '../../kinds/index.ts'
import { fromStorage } from './conversion.ts'
import { storedObject, type ResourceCall } from './core.ts'
import { evaluateSimplePath } from './json-path.ts'
import { negotiate } from './media-type.ts'
import { entriesAfterUpdate, type ManagedEntries } from './managed-fields.ts'
import { metadataOf } from './object-meta.ts'
import { refuse, refuseInvalid } from './refusal.ts'
import { answerHeaders } from './representation.ts'
import { parseBody, withExpectedKind } from './request-body.ts'
import { patchPlainObject } from './patch.ts'
import { refuseMissing, updateObject } from './update.ts'
import type { Warnings } from './warnings.ts'

const SCALE = { group: 'autoscaling', version: 'v1', kind: 'Scale', isCustom: false }

/** autoscaling/v1 Scale of an object (registry `scaleFromDeployment` and kin; apiextensions for custom resources). */
function scaleOf(call: ResourceCall, object: KubeObject): KubeObject {
  const paths = call.info.crd?.scale
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const metadata = { name, namespace, uid, resourceVersion, creationTimestamp }
  const replicas = numberAt(object, paths?.specReplicasPath ?? '.spec.replicas')
  const selector = selectorTextOf(object, paths?.labelSelectorPath, paths !== undefined)
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: Object.fromEntries(
      Object.entries(metadata).filter(([, value]) => value !== undefined)
    ) as unknown as KubeObject['metadata'],
    spec: replicas === 0 ? {} : { replicas },
    status: {
      replicas: numberAt(object, paths?.statusReplicasPath ?? '.status.replicas'),
      ...(selector === '' ? {} : { selector })
    }
  }
}

function numberAt(object: KubeObject, path: string): number {
  const value = evaluateSimplePath(object, path)
  return typeof value === 'number' ? value : 0
}

function selectorTextOf(object: KubeObject, path: string | undefined, isCustom: boolean): string {
  if (isCustom) {
    const value = path === undefined ? undefined : evaluateSimplePath(object, path)
    return typeof value === 'string' ? value : ''
  }
  const selector = isJsonMap(object.spec) ? object.spec['selector'] : undefined
  if (object.kind === 'ReplicationController') {
    return labelSelectorText(selectorFromLabels(selector as Record<string, string> | undefined))
  }
  return labelSelectorText(selectorFromObject(selector))
}

function answer(call: ResourceCall, object: KubeObject, warnings: Warnings): ApiResponse {
  const representation = negotiate(call.request.headers?.['accept'])
  return {
    code: 200,
    headers: answerHeaders(representation, warnings),
    body: scaleOf(call, fromStorage(call.info, object))
  }
}

/**
 * Handles GET, PUT and PATCH of the scale sub-resource.
 * @param call - the request
 */
export function handleScale(call: ResourceCall): ApiResponse {
  const existing = storedObject(call)
  if (existing === undefined) return refuseMissing(call)
  const { warnings } = call
  if (call.request.method === 'GET') return answer(call, existing, warnings)
  const current = scaleOf(call, fromStorage(call.info, existing))
  const wanted =
    call.request.method === 'PATCH'
      ? patchPlainObject(call, current, SCALE)
      : withExpectedKind(parseBody(call.request, 'Scale').value, SCALE)
  checkScale(call, wanted, existing)
  const candidate = withReplicas(call, fromStorage(call.info, existing), replicasOf(wanted))
  const managed = (object: KubeObject): ManagedEntries => ownedThroughScale(call, object, existing)
  const updated = updateObject(call, { candidate, existing, warnings, isUnconditional: true, managed })
  return answer(call, updated, warnings)
}

/** A Scale of 0 leaves its replicas out, so that nobody owns them afterwards. */
function ownedThroughScale(call: ResourceCall, object: KubeObject, existing: KubeObject): ManagedEntries {
  const tracked = entriesAfterUpdate(call, object, existing)
  const path = (call.info.crd?.scale?.specReplicasPath ?? '.spec.replicas').replace(/^\./, '').split('.')
  if (numberAt(object, `.${path.join('.')}`) !== 0 || tracked === undefined) return tracked
  const steps = path.map((step) => `f:${step}`)
  return tracked.flatMap((entry) => {
    const fields = withoutPath(entry['fieldsV1'], steps)
    return fields === undefined ? [] : [{ ...entry, fieldsV1: fields }]
  })
}

/** Owned fields without one of them; undefined when nothing is left. */
function withoutPath(fields: unknown, steps: readonly string[]): JsonObject | undefined {
  if (!isJsonMap(fields)) return undefined
  const [step = '', ...rest] = steps
  const { [step]: found, ...others } = fields as JsonObject
  if (found === undefined) return fields as JsonObject
  const inner = rest.length === 0 ? undefined : withoutPath(found, rest)
  const left: JsonObject = inner === undefined ? others : { ...others, [step]: inner }
  return Object.keys(left).length === 0 ? undefined : left
}

function replicasOf(scale: Record<string, unknown>): number {
  const spec = isJsonMap(scale['spec']) ? scale['spec'] : {}
  return typeof spec['replicas'] === 'number' ? spec['replicas'] : 0
}

function checkScale(call: ResourceCall, scale: Record<string, unknown>, existing: KubeObject): void {
  const metadata = metadataOf(scale)
  const name = call.path.name ?? ''
  if ((metadata.name ?? name) !== name) {
    refuse(badRequestStatus(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`))
  }
  const replicas = replicasOf(scale)
  if (replicas < 0) {
    const error = invalidError('spec.replicas', replicas, 'must be greater than or equal to 0')
    refuseInvalid({ group: 'autoscaling', name: 'Scale' }, name, [error])
  }
  const version = metadata.resourceVersion ?? ''
  if (version !== '' && version !== existing.metadata.resourceVersion) {
    refuse(conflictStatus({ group: call.info.group, name: call.info.resource }, name))
  }
}

function withReplicas(call: ResourceCall, object: KubeObject, replicas: number): Record<string, unknown> {
  const path = call.info.crd?.scale?.specReplicasPath ?? '.spec.replicas'
  const steps = path.replace(/^\./, '').split('.')
  const metadata = { ...object.metadata }
  delete metadata.resourceVersion
  return { ...setAt(object, steps, replicas), metadata }
}

function setAt(value: unknown, steps: readonly string[], leaf: unknown): Record<string, unknown> {
  const [step = '', ...rest] = steps
  const fields = isJsonMap(value) ? value : {}
  return { ...fields, [step]: rest.length === 0 ? leaf : setAt(fields[step], rest, leaf) }
}
