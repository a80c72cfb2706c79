import type { ApiRequest, ApiResponse, KubeObject } from '../../../src/kinds/index.ts'
import type { ApiFault, TraceRecord } from './case.ts'
import { parseApiPath } from './recorder.ts'

const VERBS: Readonly<Record<string, string>> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }

/** The injected error that a request meets, if any; it is used up by that. */
export function takeFault(faults: ApiFault[], request: ApiRequest): ApiFault | undefined {
  if (faults.length === 0) return undefined
  const target = parseApiPath(request.path)
  const verb = VERBS[request.method] ?? (target.name === undefined ? 'list' : 'get')
  const name = target.name ?? (request.body as Partial<KubeObject> | undefined)?.metadata?.name
  const index = faults.findIndex(
    (fault) =>
      fault.verb === verb &&
      fault.resource === target.resource &&
      fault.subresource === target.subresource &&
      (fault.name === undefined || fault.name === name)
  )
  const fault = faults[index]
  if (fault === undefined) return undefined
  const left = (fault.times ?? 1) - 1
  if (left > 0) faults[index] = { ...fault, times: left }
  else faults.splice(index, 1)
  return fault
}

/** The answer that an injected error gives. */
export function faultAnswer({
  code,
  reason = '',
  message
}: Pick<ApiFault, 'code' | 'reason' | 'message'>): ApiResponse {
  return { code, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code } }
}

/**
 * The record of an injected error on a read. No published trace has one; the layout is taken to be that of a refused
 * write: what was asked for, then the status and the text.
 */
export function readFault({ code, message }: ApiFault, request: ApiRequest): TraceRecord {
  const { group, version, resource, name, subresource } = parseApiPath(request.path)
  return {
    t: 'fault',
    verb: name === undefined ? 'list' : 'get',
    resource,
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
    ...(group === '' ? {} : { group: `${group}/${version}` }),
    result: code,
    error: message
  }
}
