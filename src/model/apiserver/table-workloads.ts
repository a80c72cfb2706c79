import type { KubeObject } from '../../kinds/index.ts'
import { AGE, NAME, specOf, statusOf, templateSpec, wideColumns } from './table-shared.ts'
import { fieldsOf, labelsText, numberOf, recordsOf, textOf, type TableColumn } from './table-column.ts'

const APPS = 'io.k8s.api.apps.v1'

function count(name: string, field: string, definition: string): TableColumn {
  return {
    name,
    type: 'integer',
    description: [`${APPS}.${definition}`, field],
    cell: (object) => numberOf(statusOf(object)[field])
  }
}

function textCount(name: string, field: string, definition: string): TableColumn {
  return {
    ...count(name, field, definition),
    type: 'string',
    cell: (object) => String(numberOf(statusOf(object)[field]))
  }
}

function readyOf(object: KubeObject): string {
  return `${numberOf(statusOf(object)['readyReplicas'])}/${numberOf(specOf(object)['replicas'])}`
}

const DEPLOYMENTS: readonly TableColumn[] = [
  NAME,
  { name: 'Ready', description: 'Number of the pod with ready state', cell: readyOf },
  textCount('Up-to-date', 'updatedReplicas', 'DeploymentStatus'),
  textCount('Available', 'availableReplicas', 'DeploymentStatus'),
  AGE,
  ...wideColumns(templateSpec, `${APPS}.DeploymentSpec`)
]

const REPLICA_SETS: readonly TableColumn[] = [
  NAME,
  {
    name: 'Desired',
    type: 'integer',
    description: [`${APPS}.ReplicaSetSpec`, 'replicas'],
    cell: (object) => numberOf(specOf(object)['replicas'])
  },
  count('Current', 'replicas', 'ReplicaSetStatus'),
  count('Ready', 'readyReplicas', 'ReplicaSetStatus'),
  AGE,
  ...wideColumns(templateSpec, `${APPS}.ReplicaSetSpec`)
]

const DAEMON_SETS: readonly TableColumn[] = [
  NAME,
  count('Desired', 'desiredNumberScheduled', 'DaemonSetStatus'),
  count('Current', 'currentNumberScheduled', 'DaemonSetStatus'),
  count('Ready', 'numberReady', 'DaemonSetStatus'),
  count('Up-to-date', 'updatedNumberScheduled', 'DaemonSetStatus'),
  count('Available', 'numberAvailable', 'DaemonSetStatus'),
  {
    name: 'Node Selector',
    description: ['io.k8s.api.core.v1.PodSpec', 'nodeSelector'],
    cell: (object) => labelsText(templateSpec(object)['nodeSelector'])
  },
  AGE,
  ...wideColumns(templateSpec, `${APPS}.DaemonSetSpec`)
]

const STATEFUL_SETS: readonly TableColumn[] = [
  NAME,
  { name: 'Ready', description: 'Number of the pod with ready state', cell: readyOf },
  AGE,
  ...wideColumns(templateSpec, '').slice(0, 2)
]

const CONTROLLER_REVISIONS: readonly TableColumn[] = [
  NAME,
  { name: 'Controller', description: 'Controller of the object', cell: controllerOf },
  {
    name: 'Revision',
    description: [`${APPS}.ControllerRevision`, 'revision'],
    cell: (object) => String(numberOf(object['revision']))
  },
  AGE
]

function controllerOf(object: KubeObject): string {
  const owner = (object.metadata.ownerReferences ?? []).find((one) => one.controller === true)
  if (owner === undefined) return '<none>'
  const group = owner.apiVersion.includes('/') ? `.${owner.apiVersion.split('/')[0] ?? ''}` : ''
  return `${owner.kind.toLowerCase()}${group}/${owner.name}`
}

const HPA = 'io.k8s.api.autoscaling.v2'

const AUTOSCALERS: readonly TableColumn[] = [
  NAME,
  {
    name: 'Reference',
    description: [`${HPA}.HorizontalPodAutoscalerSpec`, 'scaleTargetRef'],
    cell: (object) => {
      const target = fieldsOf(specOf(object)['scaleTargetRef'])
      return `${textOf(target['kind'])}/${textOf(target['name'])}`
    }
  },
  {
    name: 'Targets',
    description: [`${HPA}.HorizontalPodAutoscalerSpec`, 'metrics'],
    cell: (object) => metricTargets(object)
  },
  {
    name: 'MinPods',
    description: [`${HPA}.HorizontalPodAutoscalerSpec`, 'minReplicas'],
    cell: (object) => {
      const least = specOf(object)['minReplicas']
      return typeof least === 'number' ? String(least) : '<unset>'
    }
  },
  {
    name: 'MaxPods',
    type: 'integer',
    description: [`${HPA}.HorizontalPodAutoscalerSpec`, 'maxReplicas'],
    cell: (object) => numberOf(specOf(object)['maxReplicas'])
  },
  {
    name: 'Replicas',
    type: 'integer',
    description: [`${HPA}.HorizontalPodAutoscalerStatus`, 'currentReplicas'],
    cell: (object) => numberOf(statusOf(object)['currentReplicas'])
  },
  AGE
]

const SHOWN_METRICS = 2

/** `cpu: 40%/80%, 5/10 (avg)`, as `formatHPAMetrics` prints specs against statuses. */
function metricTargets(object: KubeObject): string {
  const specs = metricsOf(object)
  const statuses = recordsOf(statusOf(object)['currentMetrics'])
  if (specs.length === 0) return '<none>'
  const parts = specs.slice(0, SHOWN_METRICS).map((spec, index) => metricText(spec, statuses[index]))
  const more = specs.length > SHOWN_METRICS ? ` + ${specs.length - SHOWN_METRICS} more...` : ''
  return parts.join(', ') + more
}

function metricsOf(object: KubeObject): readonly Record<string, unknown>[] {
  const cpu = specOf(object)['targetCPUUtilizationPercentage']
  if (object.apiVersion === 'autoscaling/v2' || typeof cpu !== 'number') return recordsOf(specOf(object)['metrics'])
  return [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: cpu } } }]
}

const SOURCES: Readonly<Record<string, string>> = {
  External: 'external',
  Pods: 'pods',
  Object: 'object',
  Resource: 'resource',
  ContainerResource: 'containerResource'
}

function metricText(spec: Record<string, unknown>, status: Record<string, unknown> | undefined): string {
  const key = SOURCES[textOf(spec['type'])]
  if (key === undefined) return '<unknown type>'
  const source = fieldsOf(spec[key])
  const target = fieldsOf(source['target'])
  const current = fieldsOf(fieldsOf(status?.[key])['current'])
  const name = key === 'resource' || key === 'containerResource' ? `${textOf(source['name'])}: ` : ''
  if (target['averageUtilization'] !== undefined) {
    const value = current['averageUtilization']
    return `${name}${typeof value === 'number' ? `${value}%` : '<unknown>'}/${numberOf(target['averageUtilization'])}%`
  }
  if (target['averageValue'] !== undefined) {
    const suffix = key === 'external' || key === 'object' ? ' (avg)' : ''
    return `${name}${amount(current['averageValue'])}/${amount(target['averageValue'])}${suffix}`
  }
  return `${name}${amount(current['value'])}/${amount(target['value'])}`
}

function amount(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '<unknown>'
}

const REPLICATION_CONTROLLERS: readonly TableColumn[] = [
  NAME,
  { name: 'Desired', type: 'integer', cell: (object) => numberOf(specOf(object)['replicas']) },
  { name: 'Current', type: 'integer', cell: (object) => numberOf(statusOf(object)['replicas']) },
  { name: 'Ready', type: 'integer', cell: (object) => numberOf(statusOf(object)['readyReplicas']) },
  AGE,
  ...wideColumns(templateSpec, '').slice(0, 2),
  { name: 'Selector', priority: 1, cell: (object) => labelsText(specOf(object)['selector']) }
]

/** Columns of workloads and autoscalers. */
export const WORKLOAD_TABLES: Readonly<Record<string, readonly TableColumn[]>> = {
  'apps/deployments': DEPLOYMENTS,
  'apps/replicasets': REPLICA_SETS,
  'apps/daemonsets': DAEMON_SETS,
  'apps/statefulsets': STATEFUL_SETS,
  'apps/controllerrevisions': CONTROLLER_REVISIONS,
  'autoscaling/horizontalpodautoscalers': AUTOSCALERS,
  '/replicationcontrollers': REPLICATION_CONTROLLERS
}
