import type { KubeObject } from '../../kinds/index.ts'
import { AGE, NAME, specOf, statusOf } from './table-shared.ts'
import { fieldsOf, humanDuration, numberOf, recordsOf, textOf, type TableColumn } from './table-column.ts'

interface PodSummary {
  readonly ready: string
  readonly reason: string
  readonly restarts: string
}

function restartableInit(spec: Record<string, unknown>): Set<string> {
  const containers = recordsOf(spec['initContainers']).filter((one) => one['restartPolicy'] === 'Always')
  return new Set(containers.map((one) => textOf(one['name'])))
}

/** Ready count, reason and restarts of a pod, as `printPod` computes them. */
function summarize(object: KubeObject, now: number): PodSummary {
  const spec = specOf(object)
  const status = statusOf(object)
  const sidecars = restartableInit(spec)
  const statuses = recordsOf(status['containerStatuses'])
  const initStatuses = recordsOf(status['initContainerStatuses'])
  const total = recordsOf(spec['containers']).length + sidecars.size
  const readySidecars = initStatuses.filter((one) => sidecars.has(textOf(one['name'])) && one['ready'] === true).length
  const ready = statuses.filter((one) => one['ready'] === true && running(one)).length + readySidecars
  const init = initReason(spec, initStatuses, sidecars)
  const reason = init ?? containersReason(status, statuses)
  return {
    ready: `${ready}/${total}`,
    reason: finalReason(object, reason),
    restarts: restartsText(
      init === undefined
        ? [...statuses, ...initStatuses.filter((one) => sidecars.has(textOf(one['name'])))]
        : initStatuses,
      now
    )
  }
}

function running(status: Record<string, unknown>): boolean {
  return fieldsOf(status['state'])['running'] !== undefined
}

function initReason(
  spec: Record<string, unknown>,
  statuses: readonly Record<string, unknown>[],
  sidecars: ReadonlySet<string>
): string | undefined {
  for (const [index, status] of statuses.entries()) {
    const state = fieldsOf(status['state'])
    const terminated = fieldsOf(state['terminated'])
    const waiting = fieldsOf(state['waiting'])
    if (state['terminated'] !== undefined && numberOf(terminated['exitCode']) === 0) continue
    if (sidecars.has(textOf(status['name'])) && status['started'] === true) continue
    if (state['terminated'] !== undefined) {
      const reason = textOf(terminated['reason'])
      return `Init:${reason === '' ? exitText(terminated) : reason}`
    }
    const reason = textOf(waiting['reason'])
    if (reason !== '' && reason !== 'PodInitializing') return `Init:${reason}`
    return `Init:${index}/${recordsOf(spec['initContainers']).length}`
  }
  return undefined
}

function exitText(terminated: Record<string, unknown>): string {
  const signal = numberOf(terminated['signal'])
  return signal === 0 ? `ExitCode:${numberOf(terminated['exitCode'])}` : `Signal:${signal}`
}

function containersReason(status: Record<string, unknown>, statuses: readonly Record<string, unknown>[]): string {
  const phase = textOf(status['phase'])
  const gated = recordsOf(status['conditions']).some(
    (one) => one['type'] === 'PodScheduled' && one['reason'] === 'SchedulingGated'
  )
  let reason = gated ? 'SchedulingGated' : textOf(status['reason']) || phase
  let hasRunning = false
  for (const one of [...statuses].toReversed()) {
    const state = fieldsOf(one['state'])
    const waiting = textOf(fieldsOf(state['waiting'])['reason'])
    const terminated = fieldsOf(state['terminated'])
    if (waiting !== '') reason = waiting
    else if (state['terminated'] !== undefined) reason = textOf(terminated['reason']) || exitText(terminated)
    else if (one['ready'] === true && running(one)) hasRunning = true
  }
  if (reason !== 'Completed' || !hasRunning) return reason
  const isReady = recordsOf(status['conditions']).some((one) => one['type'] === 'Ready' && one['status'] === 'True')
  return isReady ? 'Running' : 'NotReady'
}

function finalReason(object: KubeObject, reason: string): string {
  if (object.metadata.deletionTimestamp === undefined) return reason
  const status = statusOf(object)
  if (textOf(status['reason']) === 'NodeLost') return 'Unknown'
  return status['phase'] === 'Succeeded' || status['phase'] === 'Failed' ? reason : 'Terminating'
}

function restartsText(statuses: readonly Record<string, unknown>[], now: number): string {
  let restarts = 0
  let last = 0
  for (const one of statuses) {
    restarts += numberOf(one['restartCount'])
    const finished = textOf(fieldsOf(fieldsOf(one['lastState'])['terminated'])['finishedAt'])
    if (finished !== '') last = Math.max(last, Date.parse(finished))
  }
  return restarts > 0 && last > 0 ? `${restarts} (${humanDuration(now - last)} ago)` : String(restarts)
}

const POD_STATUS = 'io.k8s.api.core.v1.PodStatus'
const POD_SPEC = 'io.k8s.api.core.v1.PodSpec'

/** Columns of pods. */
export const POD_TABLE: readonly TableColumn[] = [
  NAME,
  {
    name: 'Ready',
    description: 'The aggregate readiness state of this pod for accepting traffic.',
    cell: (object, now) => summarize(object, now).ready
  },
  {
    name: 'Status',
    description: 'The aggregate status of the containers in this pod.',
    cell: (object, now) => summarize(object, now).reason
  },
  {
    name: 'Restarts',
    description:
      'The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.',
    cell: (object, now) => summarize(object, now).restarts
  },
  AGE,
  {
    name: 'IP',
    priority: 1,
    description: [POD_STATUS, 'podIP'],
    cell: (object) => textOf(statusOf(object)['podIP']) || '<none>'
  },
  {
    name: 'Node',
    priority: 1,
    description: [POD_SPEC, 'nodeName'],
    cell: (object) => textOf(specOf(object)['nodeName']) || '<none>'
  },
  {
    name: 'Nominated Node',
    priority: 1,
    description: [POD_STATUS, 'nominatedNodeName'],
    cell: (object) => textOf(statusOf(object)['nominatedNodeName']) || '<none>'
  },
  { name: 'Readiness Gates', priority: 1, description: [POD_SPEC, 'readinessGates'], cell: readinessGates }
]

function readinessGates(object: KubeObject): string {
  const gates = recordsOf(specOf(object)['readinessGates'])
  if (gates.length === 0) return '<none>'
  const conditions = recordsOf(statusOf(object)['conditions'])
  const isTrue = (type: unknown): boolean => conditions.some((one) => one['type'] === type && one['status'] === 'True')
  return `${gates.filter((gate) => isTrue(gate['conditionType'])).length}/${gates.length}`
}
