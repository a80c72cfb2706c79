import type { KubeObject } from '../../kinds/index.ts'
import { AGE, NAME, specOf, statusOf } from './table-shared.ts'
import { ageOf, fieldsOf, humanDuration, numberOf, recordsOf, textOf, type TableColumn } from './table-column.ts'

function size(value: unknown): number {
  return Object.keys(fieldsOf(value)).length
}

const DATA: TableColumn = {
  name: 'Data',
  description: ['io.k8s.api.core.v1.ConfigMap', 'data'],
  cell: (object) => size(object['data']) + size(object['binaryData'])
}

const SECRETS: readonly TableColumn[] = [
  NAME,
  { name: 'Type', description: ['io.k8s.api.core.v1.Secret', 'type'], cell: (object) => textOf(object['type']) },
  { ...DATA, description: ['io.k8s.api.core.v1.Secret', 'data'], cell: (object) => size(object['data']) },
  AGE
]

const NAMESPACES: readonly TableColumn[] = [
  NAME,
  { name: 'Status', description: 'The status of the namespace', cell: (object) => textOf(statusOf(object)['phase']) },
  AGE
]

function nodeStatus(object: KubeObject): string {
  const ready = recordsOf(statusOf(object)['conditions']).find((one) => one['type'] === 'Ready')
  const word = ready === undefined ? 'Unknown' : ready['status'] === 'True' ? 'Ready' : 'NotReady'
  return specOf(object)['unschedulable'] === true ? `${word},SchedulingDisabled` : word
}

const ROLE_PREFIX = 'node-role.kubernetes.io/'

function nodeRoles(object: KubeObject): string {
  const roles = Object.entries(object.metadata.labels ?? {}).flatMap(([key, value]) => {
    if (key.startsWith(ROLE_PREFIX)) return [key.slice(ROLE_PREFIX.length)]
    return key === 'kubernetes.io/role' && value !== '' ? [value] : []
  })
  return roles.length === 0 ? '<none>' : roles.sort().join(',')
}

function nodeAddress(type: string): (object: KubeObject) => string {
  return (object) => {
    const found = recordsOf(statusOf(object)['addresses']).find((one) => one['type'] === type)
    return found === undefined ? '<none>' : textOf(found['address'])
  }
}

function nodeInfo(field: string, empty: string): (object: KubeObject) => string {
  return (object) => textOf(fieldsOf(statusOf(object)['nodeInfo'])[field]) || empty
}

const NODES: readonly TableColumn[] = [
  NAME,
  { name: 'Status', description: 'The status of the node', cell: nodeStatus },
  { name: 'Roles', description: 'The roles of the node', cell: nodeRoles },
  AGE,
  {
    name: 'Version',
    description: ['io.k8s.api.core.v1.NodeSystemInfo', 'kubeletVersion'],
    cell: nodeInfo('kubeletVersion', '')
  },
  { name: 'Internal-IP', priority: 1, cell: nodeAddress('InternalIP') },
  { name: 'External-IP', priority: 1, cell: nodeAddress('ExternalIP') },
  { name: 'OS-Image', priority: 1, cell: nodeInfo('osImage', '<unknown>') },
  { name: 'Kernel-Version', priority: 1, cell: nodeInfo('kernelVersion', '<unknown>') },
  { name: 'Container-Runtime', priority: 1, cell: nodeInfo('containerRuntimeVersion', '<unknown>') }
]

function eventTime(object: KubeObject, which: 'first' | 'last', now: number): string {
  const first = object['firstTimestamp'] ?? object['eventTime']
  if (which === 'first') return ageOf(first, now)
  const series = fieldsOf(object['series'])
  const last = series['lastObservedTime'] ?? object['lastTimestamp'] ?? first
  const count = numberOf(series['count']) || numberOf(object['count'])
  if (count > 1 && typeof first === 'string')
    return `${ageOf(last, now)} (x${count} over ${humanDuration(now - Date.parse(first))})`
  return ageOf(last, now)
}

function eventObject(object: KubeObject): string {
  const about = fieldsOf(object['involvedObject'])
  const name = textOf(about['name'])
  return name === '' ? textOf(about['kind']).toLowerCase() : `${textOf(about['kind']).toLowerCase()}/${name}`
}

function eventSource(object: KubeObject): string {
  const { component, host } = fieldsOf(object['source'])
  const who = textOf(component) || textOf(object['reportingComponent'])
  const where = textOf(host) || textOf(object['reportingInstance'])
  return where === '' ? who : `${who}, ${where}`
}

const EVENTS: readonly TableColumn[] = [
  { name: 'Last Seen', cell: (object, now) => eventTime(object, 'last', now) },
  { name: 'Type', cell: (object) => textOf(object['type']) },
  { name: 'Reason', cell: (object) => textOf(object['reason']) },
  { name: 'Object', cell: eventObject },
  { name: 'Subobject', priority: 1, cell: (object) => textOf(fieldsOf(object['involvedObject'])['fieldPath']) },
  { name: 'Source', priority: 1, cell: eventSource },
  { name: 'Message', cell: (object) => textOf(object['message']).trim() },
  { name: 'First Seen', priority: 1, cell: (object, now) => eventTime(object, 'first', now) },
  {
    name: 'Count',
    type: 'string',
    priority: 1,
    cell: (object) => String(numberOf(fieldsOf(object['series'])['count']) || numberOf(object['count']) || 1)
  },
  { ...NAME, priority: 1 }
]

const LEASES: readonly TableColumn[] = [
  NAME,
  { name: 'Holder', cell: (object) => textOf(specOf(object)['holderIdentity']) },
  AGE
]

function quotaText(object: KubeObject, isLimit: boolean): string {
  const status = statusOf(object)
  const hard = fieldsOf(status['hard'])
  const used = fieldsOf(status['used'])
  const names = Object.keys(hard)
    .sort()
    .filter((name) => name.startsWith('limits.') === isLimit)
  return names.map((name) => `${name}: ${String(used[name] ?? '0')}/${String(hard[name])}`).join(', ')
}

const QUOTAS: readonly TableColumn[] = [
  NAME,
  { name: 'Request', cell: (object) => quotaText(object, false) },
  { name: 'Limit', cell: (object) => quotaText(object, true) },
  AGE
]

function bound(object: KubeObject, field: string): string {
  const value = specOf(object)[field]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : 'N/A'
}

const BUDGETS: readonly TableColumn[] = [
  NAME,
  { name: 'Min Available', cell: (object) => bound(object, 'minAvailable') },
  { name: 'Max Unavailable', cell: (object) => bound(object, 'maxUnavailable') },
  { name: 'Allowed Disruptions', type: 'integer', cell: (object) => numberOf(statusOf(object)['disruptionsAllowed']) },
  AGE
]

function subjects(kind: string): (object: KubeObject) => string {
  return (object) =>
    recordsOf(object['subjects'])
      .filter((one) => one['kind'] === kind)
      .map((one) =>
        kind === 'ServiceAccount' ? `${textOf(one['namespace'])}/${textOf(one['name'])}` : textOf(one['name'])
      )
      .join(', ')
}

const ROLE_BINDINGS: readonly TableColumn[] = [
  NAME,
  {
    name: 'Role',
    cell: (object) => {
      const role = fieldsOf(object['roleRef'])
      return `${textOf(role['kind'])}/${textOf(role['name'])}`
    }
  },
  AGE,
  { name: 'Users', priority: 1, cell: subjects('User') },
  { name: 'Groups', priority: 1, cell: subjects('Group') },
  { name: 'ServiceAccounts', priority: 1, cell: subjects('ServiceAccount') }
]

const PRIORITY_CLASSES: readonly TableColumn[] = [
  NAME,
  { name: 'Value', type: 'integer', cell: (object) => numberOf(object['value']) },
  { name: 'Global-Default', type: 'boolean', cell: (object) => object['globalDefault'] === true },
  AGE,
  { name: 'PreemptionPolicy', cell: (object) => textOf(object['preemptionPolicy']) }
]

/** Columns of cluster-wide kinds, configuration and events. */
export const CLUSTER_TABLES: Readonly<Record<string, readonly TableColumn[]>> = {
  '/configmaps': [NAME, DATA, AGE],
  '/secrets': SECRETS,
  '/namespaces': NAMESPACES,
  '/nodes': NODES,
  '/events': EVENTS,
  'events.k8s.io/events': EVENTS,
  '/serviceaccounts': [NAME, AGE],
  '/resourcequotas': QUOTAS,
  'coordination.k8s.io/leases': LEASES,
  'policy/poddisruptionbudgets': BUDGETS,
  'rbac.authorization.k8s.io/rolebindings': ROLE_BINDINGS,
  'rbac.authorization.k8s.io/clusterrolebindings': ROLE_BINDINGS,
  'scheduling.k8s.io/priorityclasses': PRIORITY_CLASSES
}
