import type { JsonObject } from './json.ts'

/** Reference from an owned object to its owner (meta/v1 OwnerReference). */
export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

/** meta/v1 ObjectMeta, the part the twin reads. */
export interface ObjectMeta {
  name: string
  namespace?: string
  generateName?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  finalizers?: string[]
  ownerReferences?: OwnerReference[]
  managedFields?: JsonObject[]
  selfLink?: string
}

/** Any object of the Kubernetes API. Rooms narrow `spec` and `status` with the types of their kind. */
export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  spec?: unknown
  status?: unknown
  [field: string]: unknown
}

/** meta/v1 Status: what the API answers where there is no object, failures above all. */
export interface KubeStatus {
  kind: 'Status'
  apiVersion: 'v1'
  metadata: JsonObject
  status: 'Success' | 'Failure'
  message?: string
  reason?: string
  details?: {
    name?: string
    group?: string
    kind?: string
    uid?: string
    causes?: { reason?: string; message?: string; field?: string }[]
    retryAfterSeconds?: number
  }
  code?: number
}

/**
 * One request to the API server, as plain data: what HTTP carries, parsed.
 * The same shape is an effect of the canary controller, the input of the in-memory server and what the wire adapter builds.
 */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS'
  /** Path without query string, e.g. `/apis/apps/v1/namespaces/test/deployments/podinfo`. */
  readonly path: string
  /** Decoded query parameters. */
  readonly query?: Readonly<Record<string, string>>
  /** Lower-case header names: `accept`, `content-type`, `user-agent`, …. */
  readonly headers?: Readonly<Record<string, string>>
  /** Parsed body (JSON or YAML); the patch document of a PATCH. */
  readonly body?: unknown
  /** The sender gives the body away: the server may change and freeze it, where it copies it otherwise. Default: it stays its sender's. */
  readonly isGiven?: boolean
  /** JSON body as received. Where given, it is parsed by the server (duplicate fields are seen) and `body` is not read. */
  readonly bodyText?: string
  /** Why {@link bodyText} is no YAML, e.g. `yaml: line 4: did not find expected ',' or ']'`; `body` is absent then. */
  readonly bodyError?: string
}

/** The API server's answer to an {@link ApiRequest}. */
export interface ApiResponse {
  readonly code: number
  /** An object, list, table, Status or discovery document; a string for text answers (`/version` is JSON, `/healthz` text). */
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
}

/** A change of a stored object, in resourceVersion order. Objects are frozen and shared: never mutate them. */
export interface ApiChange {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  /** Group without version, `''` for core. */
  readonly group: string
  /** Plural resource name, e.g. `deployments`. */
  readonly resource: string
  readonly object: KubeObject
  /** The object before a MODIFIED change. */
  readonly previous?: KubeObject
}
