import { invalidError, isJsonMap } from '../../lib/apimachinery/index.ts'
import { formatTimestamp } from '../../lib/time/index.ts'
import type { ApiResponse } from '../../kinds/index.ts'
import { storedObject, type ResourceCall } from './core.ts'
import { decodeBody } from './conversion.ts'
import { refuseInvalid } from './refusal.ts'
import { parseBody } from './request-body.ts'
import { refuseMissing } from './update.ts'

const USER = { username: 'admin', groups: ['system:masters', 'system:authenticated'] }

/** Who asks: the client of the token, or whom it impersonates. */
function userOf(call: ResourceCall): Record<string, unknown> {
  const name = call.request.headers?.['impersonate-user']
  if (name === undefined) return USER
  const groups = call.request.headers?.['impersonate-group']?.split(', ') ?? []
  return { username: name, groups: [...groups, 'system:authenticated'] }
}

/** Resources that answer a question and store nothing. */
const ANSWERS: Readonly<Record<string, (call: ResourceCall, body: Record<string, unknown>) => unknown>> = {
  'authorization.k8s.io/selfsubjectaccessreviews': () => ({ allowed: true }),
  'authorization.k8s.io/subjectaccessreviews': () => ({ allowed: true }),
  'authorization.k8s.io/localsubjectaccessreviews': () => ({ allowed: true }),
  'authorization.k8s.io/selfsubjectrulesreviews': () => ({
    resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
    nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
    incomplete: false
  }),
  'authentication.k8s.io/selfsubjectreviews': (call) => ({ userInfo: userOf(call) }),
  'authentication.k8s.io/tokenreviews': () => ({ authenticated: true, user: USER })
}

/** Whether a resource only answers questions. */
export function isVirtual(call: ResourceCall): boolean {
  const { info } = call
  return (
    (info.group === 'authorization.k8s.io' || info.group === 'authentication.k8s.io') &&
    ANSWERS[info.groupResource] !== undefined
  )
}

/**
 * Answers a review: every client may do everything (authorization mode AlwaysAllow).
 * @param call - the request
 */
export function answerReview(call: ResourceCall): ApiResponse {
  const body = decodeBody(call, call.warnings)
  checkReview(call, body)
  const status = ANSWERS[call.info.groupResource]?.(call, body)
  const metadata = isJsonMap(body['metadata']) ? body['metadata'] : {}
  return {
    code: 201,
    headers: { 'content-type': 'application/json' },
    body: {
      kind: call.info.kind,
      apiVersion: call.info.apiVersion,
      metadata: { ...metadata, creationTimestamp: creationOf(call) },
      spec: body['spec'] ?? {},
      status
    }
  }
}

/** Access reviews ask about exactly one of two things. */
function checkReview(call: ResourceCall, body: Record<string, unknown>): void {
  if (!call.info.resource.endsWith('accessreviews')) return
  const spec = isJsonMap(body['spec']) ? body['spec'] : {}
  if ((spec['resourceAttributes'] === undefined) !== (spec['nonResourceAttributes'] === undefined)) return
  const rule = 'exactly one of nonResourceAttributes or resourceAttributes must be specified'
  const error = invalidError('spec.resourceAttributes', spec['resourceAttributes'] ?? null, rule)
  refuseInvalid({ group: call.info.group, name: '' }, '', [error])
}

/** Only reviews of oneself carry a time. */
function creationOf(call: ResourceCall): string | null {
  return call.info.resource === 'selfsubjectreviews' ? formatTimestamp(call.core.clock.now()) : null
}

const DEFAULT_TOKEN_SECONDS = 3600
const SECOND_MS = 1000
const TOKEN_SECONDS_MIN = 600

function checkLifetime(seconds: unknown): void {
  if (typeof seconds !== 'number' || seconds >= TOKEN_SECONDS_MIN) return
  const error = invalidError('spec.expirationSeconds', seconds, 'may not specify a duration less than 10 minutes')
  refuseInvalid({ group: 'authentication.k8s.io', name: 'TokenRequest' }, '', [error])
}

/**
 * A token of a service account (`serviceaccounts/token`): three parts like a JSON web token, not signed by anyone.
 * @param call - the request
 */
export function requestToken(call: ResourceCall): ApiResponse {
  const parsed = parseBody(call.request, 'TokenRequest').value
  const body = isJsonMap(parsed) ? parsed : {}
  const account = storedObject(call)
  if (account === undefined) return refuseMissing(call)
  const spec = isJsonMap(body['spec']) ? body['spec'] : {}
  checkLifetime(spec['expirationSeconds'])
  const seconds = typeof spec['expirationSeconds'] === 'number' ? spec['expirationSeconds'] : DEFAULT_TOKEN_SECONDS
  const now = call.core.clock.now()
  const namespace = call.path.namespace ?? ''
  const name = call.path.name ?? ''
  const issued = Math.floor(now / SECOND_MS)
  const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url')
  const claims = {
    iss: 'rollout-twin',
    sub: `system:serviceaccount:${namespace}:${name}`,
    iat: issued,
    exp: issued + seconds
  }
  const signature = Buffer.from(call.core.newUid()).toString('base64url')
  const token = [encode({ alg: 'RS256', kid: 'twin' }), encode(claims), signature].join('.')
  return {
    code: 201,
    headers: { 'content-type': 'application/json' },
    body: {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { name, namespace, creationTimestamp: formatTimestamp(now) },
      spec: {
        audiences: ['https://kubernetes.default.svc'],
        ...spec,
        expirationSeconds: seconds,
        boundObjectRef: spec['boundObjectRef'] ?? null
      },
      status: { token, expirationTimestamp: formatTimestamp(now + seconds * SECOND_MS) }
    }
  }
}
