import {
  badRequestStatus,
  forbiddenError,
  goQuote,
  invalidError,
  invalidStatus,
  notSupportedError,
  tooLongError,
  type FieldError
} from '../../lib/apimachinery/index.ts'
import { plainFailure, refuse } from './refusal.ts'

type Query = Readonly<Record<string, string>>

const META_GROUP = 'meta.k8s.io'

function refuseOptions(kind: string, errors: readonly FieldError[]): void {
  if (errors.length > 0) refuse(invalidStatus({ group: META_GROUP, name: kind }, '', errors))
}

function dryRunErrors(query: Query): FieldError[] {
  const value = query['dryRun']
  if (value === undefined || value === '' || value === 'All') return []
  return [{ ...notSupportedError('dryRun', [value], ['All']) }]
}

function fieldValidationErrors(query: Query): FieldError[] {
  const value = query['fieldValidation'] ?? ''
  if (value === '' || FIELD_VALIDATIONS.has(value)) return []
  return [notSupportedError('fieldValidation', value, ['', 'Ignore', 'Strict', 'Warn'])]
}

const FIELD_VALIDATIONS: ReadonlySet<string> = new Set(['Ignore', 'Strict', 'Warn'])
const MAX_MANAGER_LENGTH = 128

function managerErrors(query: Query): FieldError[] {
  const manager = query['fieldManager'] ?? ''
  if (manager.length > MAX_MANAGER_LENGTH) {
    return [tooLongError('fieldManager', MAX_MANAGER_LENGTH)]
  }
  return []
}

function hasWriteOptions(query: Query): boolean {
  return query['dryRun'] !== undefined || query['fieldValidation'] !== undefined || query['fieldManager'] !== undefined
}

/**
 * Checks the query of a write (`CreateOptions`, `UpdateOptions`, `PatchOptions`).
 * @param kind - name of the options' kind
 * @param query - decoded query
 */
export function checkWriteOptions(kind: 'CreateOptions' | 'UpdateOptions', query: Query): void {
  if (!hasWriteOptions(query)) return
  refuseOptions(kind, [...managerErrors(query), ...dryRunErrors(query), ...fieldValidationErrors(query)])
}

/**
 * Checks the query of a patch.
 * @param query - decoded query
 * @param isApply - whether it is a server-side apply
 */
export function checkPatchOptions(query: Query, isApply: boolean): void {
  if (!isApply && query['force'] === undefined && !hasWriteOptions(query)) return
  const errors: FieldError[] = []
  if (isApply && (query['fieldManager'] ?? '') === '') {
    errors.push({ type: 'FieldValueRequired', field: 'fieldManager', value: '', detail: 'is required for apply patch' })
  }
  if (!isApply && query['force'] !== undefined) {
    errors.push(forbiddenError('force', 'may not be specified for non-apply patch'))
  }
  errors.push(...managerErrors(query), ...dryRunErrors(query), ...fieldValidationErrors(query))
  refuseOptions('PatchOptions', errors)
}

/** What a DELETE asks for. */
export interface DeleteOptions {
  readonly gracePeriodSeconds?: number
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground'
  readonly uid?: string
  readonly resourceVersion?: string
  readonly dryRun: boolean
}

const POLICIES = ['Foreground', 'Background', 'Orphan', 'nil']

/**
 * Reads the options of a DELETE from body and query; the body wins, as upstream.
 * @param body - DeleteOptions or undefined
 * @param query - decoded query
 */
export function readDeleteOptions(body: Record<string, unknown> | undefined, query: Query): DeleteOptions {
  const source: Record<string, unknown> = body === undefined || Object.keys(body).length === 0 ? fromQuery(query) : body
  const policy = source['propagationPolicy']
  const orphan = source['orphanDependents']
  const errors: FieldError[] = []
  if (policy !== undefined && orphan !== undefined) {
    errors.push(
      invalidError('propagationPolicy', policy, 'orphanDependents and deletionPropagation cannot be both set')
    )
  } else if (policy !== undefined && !POLICIES.slice(0, 3).includes(String(policy))) {
    errors.push(notSupportedError('propagationPolicy', policy, POLICIES))
  }
  const dryRun = Array.isArray(source['dryRun']) ? String(source['dryRun'][0] ?? '') : (query['dryRun'] ?? '')
  errors.push(...dryRunErrors({ dryRun }))
  refuseOptions('DeleteOptions', errors)
  const conditions = source['preconditions'] as { uid?: string; resourceVersion?: string } | undefined
  const grace = source['gracePeriodSeconds']
  const chosen = policy ?? (orphan === undefined ? undefined : orphan === true ? 'Orphan' : 'Background')
  return {
    dryRun: dryRun === 'All',
    ...(typeof grace === 'number' ? { gracePeriodSeconds: grace } : {}),
    ...(chosen === undefined ? {} : { propagationPolicy: chosen as 'Orphan' | 'Background' | 'Foreground' }),
    ...(conditions?.uid === undefined ? {} : { uid: conditions.uid }),
    ...(conditions?.resourceVersion === undefined ? {} : { resourceVersion: conditions.resourceVersion })
  }
}

function fromQuery(query: Query): Record<string, unknown> {
  const { gracePeriodSeconds, propagationPolicy, orphanDependents } = query
  return {
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: parseGoInteger(gracePeriodSeconds) }),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(orphanDependents === undefined ? {} : { orphanDependents: orphanDependents === 'true' })
  }
}

/** What a list or watch asks for. */
export interface ListOptions {
  readonly limit: number
  readonly continueToken: string
  readonly resourceVersion: string
  readonly match: string
  readonly watch: boolean
  readonly allowBookmarks: boolean
  readonly sendInitialEvents?: boolean
  readonly timeoutSeconds?: number
}

/** Whether a query parameter is on: present and neither `0` nor `false` (queryparams converts with strconv rules). */
export function isTrue(value: string | undefined): boolean {
  return value !== undefined && value !== 'false' && value !== '0'
}

/**
 * Reads and checks the query of a list or watch (`ListOptions`).
 * @param query - decoded query
 */
export function readListOptions(query: Query): ListOptions {
  const timeout = query['timeoutSeconds']
  const initial = query['sendInitialEvents']
  const options: ListOptions = {
    limit: query['limit'] === undefined ? 0 : parseGoInteger(query['limit']),
    continueToken: query['continue'] ?? '',
    resourceVersion: query['resourceVersion'] ?? '',
    match: query['resourceVersionMatch'] ?? '',
    watch: isTrue(query['watch']),
    allowBookmarks: isTrue(query['allowWatchBookmarks']),
    ...(initial === undefined ? {} : { sendInitialEvents: isTrue(initial) }),
    ...(timeout === undefined ? {} : { timeoutSeconds: parseGoInteger(timeout) })
  }
  refuseOptions('ListOptions', options.watch ? watchErrors(options) : listErrors(options))
  return options
}

/**
 * Parses a whole number of a query.
 * @param text - its text
 */
export function parseGoInteger(text: string): number {
  if (/^[+-]?\d+$/.test(text)) return Number(text)
  return refuse(badRequestStatus(`strconv.ParseInt: parsing ${goQuote(text)}: invalid syntax`))
}

function watchErrors(options: ListOptions): FieldError[] {
  const { match, sendInitialEvents } = options
  const errors: FieldError[] = []
  if (sendInitialEvents === undefined) {
    if (match !== '')
      errors.push(
        forbiddenError(
          'resourceVersionMatch',
          'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'
        )
      )
    return errors
  }
  if (match !== 'NotOlderThan') {
    errors.push(
      forbiddenError('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
    )
    if (match !== '') errors.push(notSupportedError('resourceVersionMatch', match, ['NotOlderThan']))
  }
  return errors
}

function listErrors(options: ListOptions): FieldError[] {
  const { match, resourceVersion, sendInitialEvents, continueToken } = options
  const errors: FieldError[] = []
  if (sendInitialEvents !== undefined)
    errors.push(forbiddenError('sendInitialEvents', 'sendInitialEvents is forbidden for list'))
  if (match === '') return errors
  if (resourceVersion === '') {
    errors.push(
      forbiddenError('resourceVersionMatch', 'resourceVersionMatch is forbidden unless resourceVersion is provided')
    )
  }
  if (continueToken !== '') {
    errors.push(forbiddenError('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided'))
  }
  if (match !== 'Exact' && match !== 'NotOlderThan') {
    errors.push(notSupportedError('resourceVersionMatch', match, ['Exact', 'NotOlderThan', '']))
  }
  if (match === 'Exact' && resourceVersion === '0') {
    errors.push(
      forbiddenError('resourceVersionMatch', 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
    )
  }
  return errors
}

/**
 * Parses a resource version.
 * @param text - as the client sent it
 * @param wrap - how a list words the failure; absent: as a get or watch does
 */
export function parseResourceVersion(text: string, wrap?: 'list'): number {
  if (text === '') return 0
  if (/^\d+$/.test(text)) return Number(text)
  const message = `resourceVersion: Invalid value: ${goQuote(text)}: strconv.ParseUint: parsing ${goQuote(text)}: invalid syntax`
  return refuse(wrap === 'list' ? badRequestStatus(`invalid resource version: ${message}`) : plainFailure(message))
}
