import type { TraceRecord } from './case.ts'

type Json = Record<string, unknown>

/** Fields of metadata that a record keeps. */
const KEPT_METADATA = ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const

/** Kinds whose requests are recorded from the answer: client-go sends them in another encoding. */
const BUILT_IN_GROUPS = new Set(['', 'apps', 'autoscaling', 'networking.k8s.io'])

/** Whether a group's refused creations and updates have no body in a record. */
export function isBuiltIn(group: string): boolean {
  return BUILT_IN_GROUPS.has(group)
}

/** The body of a create or update as a record has it (FORMAT.md section 4). */
export function recordedBody(resource: string, subresource: string | undefined, object: Json): Json {
  if (resource === 'canaries') return canaryBody(subresource, object)
  const { apiVersion: _version, kind: _kind, metadata, status: _status, ...fields } = object
  const body: Json = { ...keptMetadata(metadata as Json | undefined) }
  if (resource === 'services') body['spec'] = serviceSpec(fields['spec'] as Json)
  else if (resource === 'deployments' || resource === 'daemonsets') body['spec'] = workloadSpec(fields['spec'] as Json)
  else Object.assign(body, otherFields(fields))
  return body
}

/** Sorts what Flagger does in random order (FORMAT.md section 5). */
export function inFixedOrder(records: readonly TraceRecord[]): TraceRecord[] {
  const result: TraceRecord[] = []
  let run: TraceRecord[] = []
  const flush = (): void => {
    result.push(
      ...run.sort((left, right) =>
        configKey(left) < configKey(right) ? -1 : configKey(left) > configKey(right) ? 1 : 0
      )
    )
    run = []
  }
  for (const record of records) {
    if (isConfigWrite(record)) run.push(record)
    else {
      flush()
      result.push(record)
    }
  }
  flush()
  return result
}

function isConfigWrite(record: TraceRecord): boolean {
  return record.t === 'write' && (record['resource'] === 'configmaps' || record['resource'] === 'secrets')
}

/** Array.sort is stable: the failed update of a missing clone stays before its creation. */
function configKey(record: TraceRecord): string {
  return `${String(record['resource'])}/${String(record['name'])}`
}

function keptMetadata(metadata: Json | undefined): Json {
  const kept: Json = {}
  for (const field of KEPT_METADATA) {
    const value = metadata?.[field]
    if (value === undefined || value === null || isEmpty(value)) continue
    kept[field] = field === 'ownerReferences' ? (value as Json[]).map(ownerReference) : value
  }
  return kept
}

function ownerReference({ kind, name, controller }: Json): Json {
  return { kind, name, ...(controller === undefined ? {} : { controller }) }
}

function canaryBody(subresource: string | undefined, object: Json): Json {
  if (subresource !== 'status') return keptMetadata(object['metadata'] as Json | undefined)
  const { lastTransitionTime: _time, conditions, ...status } = (object['status'] ?? {}) as Json
  if (!Array.isArray(conditions)) return status
  const kept = (conditions as Json[]).map(({ type, status: value, reason, message }) => ({
    type,
    status: value,
    reason,
    message
  }))
  return { ...status, conditions: kept }
}

function serviceSpec(spec: Json): Json {
  const { ports, selector, clusterIP, type, trafficDistribution, externalName } = spec
  return withoutUndefined({
    ports: servicePorts(ports as Json[] | undefined),
    selector,
    clusterIP: clusterIP === 'None' ? 'None' : undefined,
    type: type === 'ClusterIP' ? undefined : type,
    trafficDistribution,
    externalName
  })
}

/** Ports after the first are in random order upstream. */
function servicePorts(ports: readonly Json[] | undefined): Json[] | undefined {
  if (ports === undefined) return undefined
  const [first, ...rest] = ports
  return first === undefined ? [] : [first, ...rest.sort((left, right) => Number(left['port']) - Number(right['port']))]
}

function otherFields(fields: Json): Json {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null))
}

function workloadSpec(spec: Json): Json {
  return pruned(spec, '') as Json
}

/** Without values that equal server-side defaults, and without nulls. */
function pruned(value: unknown, path: string): unknown {
  if (Array.isArray(value)) return value.map((entry) => pruned(entry, `${path}[]`))
  if (typeof value !== 'object' || value === null) return value
  const result: Json = {}
  for (const [key, entry] of Object.entries(value)) {
    if (entry === null || entry === undefined || isDefault(key, entry, path)) continue
    const kept = pruned(entry, `${path}.${key}`)
    if (isStrategy(key) && isEmpty(kept)) continue
    result[key] = kept
  }
  return result
}

function isStrategy(key: string): boolean {
  return key === 'strategy' || key === 'updateStrategy'
}

const SCALAR_DEFAULTS: Readonly<Record<string, unknown>> = {
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
  dnsPolicy: 'ClusterFirst',
  schedulerName: 'default-scheduler',
  restartPolicy: 'Always',
  terminationGracePeriodSeconds: 30,
  defaultMode: 420,
  revisionHistoryLimit: 10,
  progressDeadlineSeconds: 600
}

function isDefault(key: string, value: unknown, path: string): boolean {
  if (key in SCALAR_DEFAULTS) return SCALAR_DEFAULTS[key] === value
  if (key === 'imagePullPolicy') return true
  if ((key === 'resources' || key === 'securityContext') && isEmpty(value)) return true
  if (key === 'protocol' && path.endsWith('ports[]')) return value === 'TCP'
  if (isStrategy(key)) return isDefaultStrategy(value as Json)
  return key === 'creationTimestamp'
}

function isDefaultStrategy({ type, rollingUpdate }: Json): boolean {
  if (type !== 'RollingUpdate') return false
  const text = JSON.stringify(rollingUpdate ?? null, ['maxSurge', 'maxUnavailable'])
  return ['null', '{"maxSurge":"25%","maxUnavailable":"25%"}', '{"maxSurge":0,"maxUnavailable":1}'].includes(text)
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

function withoutUndefined(fields: Json): Json {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
