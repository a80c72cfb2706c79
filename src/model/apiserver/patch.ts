import {
  applyJsonPatch,
  applyMergePatch,
  applyStrategicMergePatch,
  badRequestStatus,
  goValueText,
  invalidError,
  isJsonMap,
  stableStringify,
  takenOver,
  methodNotAllowedStatus,
  statusFailure,
  unsupportedMediaTypeStatus
} from '../../lib/apimachinery/index.ts'
import type { ApiResponse, KubeObject } from '../../kinds/index.ts'
import { applyObject } from './apply.ts'
import { BUILTIN_DEFINITIONS, builtinSchema } from './builtin/index.ts'
import { fromStorage } from './conversion.ts'
import { storedObject, type ResourceCall } from './core.ts'
import { negotiate } from './media-type.ts'
import { checkNamespaceGiven, metadataOf } from './object-meta.ts'
import { checkPatchOptions } from './option-validation.ts'
import { refuse, refuseInvalid } from './refusal.ts'
import { transformObject } from './representation.ts'
import { decodeObject, wrongKind } from './request-body.ts'
import { parseJsonText } from './json-text.ts'
import { refuseMissing, updateObject } from './update.ts'
import { warnDeprecation, type Warnings } from './warnings.ts'

const JSON_PATCH = 'application/json-patch+json'
const MERGE_PATCH = 'application/merge-patch+json'
const STRATEGIC_PATCH = 'application/strategic-merge-patch+json'
const APPLY_PATCH = 'application/apply-patch+yaml'

const KNOWN: ReadonlySet<string> = new Set([JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH])

/**
 * Handles a PATCH of an object or its status.
 * @param call - the request
 */
export function handlePatch(call: ResourceCall): ApiResponse {
  if (call.info.namespaced && call.path.namespace === undefined) refuse(methodNotAllowedStatus())
  const representation = negotiate(call.request.headers?.['accept'])
  const type = patchType(call)
  checkPatchOptions(call.query, type === APPLY_PATCH)
  const { warnings } = call
  warnDeprecation(call, warnings)
  if (type === APPLY_PATCH) {
    const { object, isNew } = applyObject(call, readPatch(call), warnings)
    return transformObject(call, representation, object, { code: isNew ? 201 : 200, warnings })
  }
  const patch = readPatch(call)
  checkPatchShape(type, patch)
  const existing = storedObject(call)
  if (existing === undefined) return refuseMissing(call)
  const candidate = patchedObject(call, { type, patch, existing, warnings })
  const updated = updateObject(call, { candidate, existing, warnings, isUnconditional: true })
  return transformObject(call, representation, updated, { code: 200, warnings })
}

function patchType(call: ResourceCall): string {
  const header = call.request.headers?.['content-type'] ?? ''
  const type = KNOWN.has(header) ? header : (header.split(';')[0]?.trim() ?? '')
  if (!KNOWN.has(type)) refuse(statusFailure(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {}))
  if (type === STRATEGIC_PATCH && call.info.crd !== undefined) {
    const accepted = [JSON_PATCH, MERGE_PATCH, APPLY_PATCH].join(', ')
    refuse(
      unsupportedMediaTypeStatus(
        `the body of the request was in an unknown format - accepted media types include: ${accepted}`
      )
    )
  }
  return type
}

function readPatch(call: ResourceCall): unknown {
  const { bodyText, bodyError, body } = call.request
  if (bodyText === undefined) return takenOver(body)
  if (bodyError !== undefined) return refuse(badRequestStatus(`error decoding YAML: ${bodyError}`))
  const parsed = parseJsonText(bodyText)
  if (parsed.ok) return parsed.value
  const isStrategic = call.request.headers?.['content-type']?.startsWith(STRATEGIC_PATCH) === true
  return refuse(badRequestStatus(isStrategic ? parsed.message : `error decoding patch: ${parsed.message}`))
}

function checkPatchShape(type: string, patch: unknown): void {
  const found = Array.isArray(patch)
    ? 'array'
    : isJsonMap(patch)
      ? 'object'
      : typeof patch === 'boolean'
        ? 'bool'
        : typeof patch
  if (type === JSON_PATCH && !Array.isArray(patch)) {
    refuse(
      badRequestStatus(
        `error decoding patch: json: cannot unmarshal ${found} into Go value of type []handlers.jsonPatchOp`
      )
    )
  }
  if (type === MERGE_PATCH && patch === null) refuse(badRequestStatus('Invalid JSON Patch'))
  if (type !== JSON_PATCH && !isJsonMap(patch)) {
    refuse(
      badRequestStatus(
        `error decoding patch: json: cannot unmarshal ${found} into Go value of type map[string]interface {}`
      )
    )
  }
}

interface Patching {
  readonly type: string
  readonly patch: unknown
  readonly existing: KubeObject
  readonly warnings: Warnings
}

function patchedObject(call: ResourceCall, patching: Patching): Record<string, unknown> {
  const { type, patch, existing, warnings } = patching
  const current = fromStorage(call.info, existing)
  const patched = type === STRATEGIC_PATCH ? strategic(call, current, patch) : plainPatch(type, current, patch)
  if (!isJsonMap(patched)) return refuseUnprocessable()
  // Only refusals show the document, and writing it down costs more than the patch.
  const shown = (): string =>
    type === STRATEGIC_PATCH ? goValueText(patch) : embeddedText(patched, call.info.crd !== undefined)
  const identified = withIdentity(call, patched, { type, shown })
  const { object, strict } = decodeObject(identified, call.info, {
    stored: current === existing ? existing : undefined,
    onFailure: (failure, converterFailure) =>
      refuseInvalid({ group: '', name: '' }, '', [
        invalidError('patch', shown(), type === STRATEGIC_PATCH ? converterFailure : failure)
      ])
  })
  const unknown = call.info.crd?.prune(object, existing)
  const all = [...strict, ...(unknown?.unknownFields ?? []).map((path) => `unknown field "${path}"`)]
  const mode = call.query['fieldValidation']
  if (all.length > 0 && mode === 'Strict') {
    refuseInvalid({ group: '', name: '' }, '', [
      invalidError('patch', shown(), `strict decoding error: ${all.join(', ')}`)
    ])
  }
  if (mode !== 'Ignore') for (const text of all) warnings.add(text)
  return unknown === undefined ? object : (unknown.value as Record<string, unknown>)
}

/** The document as Go's encoder writes it: members sorted at the top, everywhere for custom resources. */
function embeddedText(patched: Record<string, unknown>, isCustom: boolean): string {
  if (isCustom) return stableStringify(patched)
  const sorted = Object.fromEntries(
    Object.keys(patched)
      .sort()
      .map((key) => [key, patched[key]])
  )
  return JSON.stringify(sorted)
}

function plainPatch(type: string, current: KubeObject, patch: unknown): unknown {
  if (type === MERGE_PATCH) return applyMergePatch(current, patch)
  const outcome = applyJsonPatch(current, patch)
  return outcome.ok ? outcome.value : refuseUnprocessable()
}

function refuseUnprocessable(): never {
  return refuse(statusFailure(422, 'Invalid', 'the server rejected our request due to an error in our request', {}))
}

function strategic(call: ResourceCall, current: KubeObject, patch: unknown): unknown {
  const { group, version, kind } = call.info
  const outcome = applyStrategicMergePatch(current, patch, builtinSchema(group, version, kind), BUILTIN_DEFINITIONS)
  if (outcome.ok) return outcome.value
  return outcome.kind === 'decode'
    ? refuse(badRequestStatus(outcome.message))
    : refuse(statusFailure(500, '', outcome.message))
}

/** A patch may not turn an object into another one. */
function withIdentity(
  call: ResourceCall,
  patched: Record<string, unknown>,
  { type, shown }: { readonly type: string; readonly shown: () => string }
): Record<string, unknown> {
  const { info } = call
  const name = metadataOf(patched).name ?? ''
  const wanted = call.path.name ?? ''
  if (name === '') {
    refuse(
      badRequestStatus(`the name of the object (${wanted} based on URL) was undeterminable: name must be provided`)
    )
  }
  if (name !== wanted) {
    refuse(badRequestStatus(`the name of the object (${name}) does not match the name on the URL (${wanted})`))
  }
  checkNamespaceGiven(call, metadataOf(patched))
  if (patched['kind'] === info.kind && patched['apiVersion'] === info.apiVersion) return patched
  // The typed object that a strategic patch is applied to keeps its kind.
  if (type === STRATEGIC_PATCH) return { ...patched, kind: info.kind, apiVersion: info.apiVersion }
  const wrong = wrongKind(String(patched['apiVersion']), String(patched['kind']), info)
  return refuseInvalid({ group: '', name: '' }, '', [invalidError('patch', shown(), wrong)]) ?? patched
}

/**
 * Applies the patch of a request to an object that is not stored as such (a Scale).
 * @param call - the request
 * @param current - object to patch
 * @param kind - its kind
 */
export function patchPlainObject(
  call: ResourceCall,
  current: KubeObject,
  kind: { readonly group: string; readonly version: string; readonly kind: string; readonly isCustom: boolean }
): Record<string, unknown> {
  const type = patchType(call)
  checkPatchOptions(call.query, type === APPLY_PATCH)
  const patch = readPatch(call)
  if (type !== APPLY_PATCH) checkPatchShape(type, patch)
  const schema = builtinSchema(kind.group, kind.version, kind.kind)
  const outcome =
    type === STRATEGIC_PATCH
      ? applyStrategicMergePatch(current, patch, schema, BUILTIN_DEFINITIONS)
      : { ok: true as const, value: plainPatch(type === APPLY_PATCH ? MERGE_PATCH : type, current, patch) }
  if (!outcome.ok || !isJsonMap(outcome.value)) return refuseUnprocessable()
  return decodeObject(outcome.value, kind).object
}
