import { conflictStatus, isJsonMap, notFoundStatus } from '../../lib/apimachinery/index.ts'
import { formatTimestamp } from '../../lib/time/index.ts'
import type { ApiResponse, KubeObject, KubeStatus } from '../../kinds/index.ts'
import { refuseEviction } from './admission.ts'
import { storedObject, type ResourceCall } from './core.ts'
import { deleteObject } from './delete.ts'
import { readDeleteOptions } from './option-validation.ts'
import { refuse } from './refusal.ts'
import { parseBody } from './request-body.ts'
import { refuseMissing } from './update.ts'

const SUCCESS: KubeStatus = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }

function created(): ApiResponse {
  return { code: 201, headers: { 'content-type': 'application/json' }, body: SUCCESS }
}

/**
 * Binds a pod to a node (`pods/binding`, and `bindings` whose body names the pod).
 * @param call - the request
 */
export function bindPod(call: ResourceCall): ApiResponse {
  const body = parseBody(call.request, 'Binding').value
  const fields = isJsonMap(body) ? body : {}
  const metadata = isJsonMap(fields['metadata']) ? fields['metadata'] : {}
  const name = call.path.name ?? String(metadata['name'] ?? '')
  const pod = call.core.store.get('', 'pods', call.path.namespace, name)
  if (pod === undefined) return refuse(notFoundStatus({ group: '', name: 'pods' }, name))
  const target = isJsonMap(fields['target']) ? String(fields['target']['name'] ?? '') : ''
  const spec = isJsonMap(pod.spec) ? pod.spec : {}
  if (typeof spec['nodeName'] === 'string' && spec['nodeName'] !== '') {
    const subject = { group: '', name: 'pods/binding' }
    return refuse(conflictStatus(subject, name, `pod ${name} is already assigned to node "${spec['nodeName']}"`))
  }
  call.core.store.put({ group: '', resource: 'pods', apiVersion: 'v1' }, boundPod(call, pod, target), pod)
  return created()
}

function boundPod(call: ResourceCall, pod: KubeObject, node: string): KubeObject {
  const spec = isJsonMap(pod.spec) ? pod.spec : {}
  const status = isJsonMap(pod.status) ? pod.status : {}
  const now = formatTimestamp(call.core.clock.now())
  const condition = { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: now }
  const conditions = Array.isArray(status['conditions']) ? (status['conditions'] as Record<string, unknown>[]) : []
  const others = conditions.filter((one) => one['type'] !== 'PodScheduled')
  return {
    ...pod,
    metadata: { ...pod.metadata },
    spec: { ...spec, nodeName: node },
    status: { ...status, conditions: [...others, condition] }
  }
}

/**
 * Evicts a pod unless a disruption budget forbids it (`pods/eviction`, registry/core/pod/storage/eviction.go).
 * @param call - the request
 */
export function evictPod(call: ResourceCall): ApiResponse {
  const pod = storedObject(call)
  if (pod === undefined) return refuseMissing(call)
  const body = parseBody(call.request, 'Eviction').value
  const fields = isJsonMap(body) ? body : {}
  const options = readDeleteOptions(
    isJsonMap(fields['deleteOptions']) ? fields['deleteOptions'] : undefined,
    call.query
  )
  if (!isTerminal(pod)) takeDisruption(call, pod, options.dryRun)
  deleteObject(call, pod, options)
  return created()
}

function isTerminal(pod: KubeObject): boolean {
  const phase = isJsonMap(pod.status) ? pod.status['phase'] : undefined
  return (
    phase === 'Succeeded' || phase === 'Failed' || phase === 'Pending' || pod.metadata.deletionTimestamp !== undefined
  )
}

function takeDisruption(call: ResourceCall, pod: KubeObject, isDryRun: boolean): void {
  const budgets = call.core.store.list('policy', 'poddisruptionbudgets', call.path.namespace)
  const budget = budgets.find((one) => selects(one, pod))
  if (budget === undefined) return
  const status = isJsonMap(budget.status) ? budget.status : {}
  const allowed = typeof status['disruptionsAllowed'] === 'number' ? status['disruptionsAllowed'] : 0
  const { name } = budget.metadata
  if (allowed <= 0) {
    const needed = `needs ${String(status['desiredHealthy'] ?? 0)} healthy pods and has ${String(status['currentHealthy'] ?? 0)} currently`
    refuseEviction(name, needed)
  }
  if (isDryRun) return
  const disrupted = isJsonMap(status['disruptedPods']) ? status['disruptedPods'] : {}
  const changed = {
    ...status,
    disruptionsAllowed: allowed - 1,
    disruptedPods: { ...disrupted, [pod.metadata.name]: formatTimestamp(call.core.clock.now()) }
  }
  const place = { group: 'policy', resource: 'poddisruptionbudgets', apiVersion: 'policy/v1' }
  call.core.store.put(place, { ...budget, metadata: { ...budget.metadata }, status: changed }, budget)
}

function selects(budget: KubeObject, pod: KubeObject): boolean {
  const selector = isJsonMap(budget.spec) && isJsonMap(budget.spec['selector']) ? budget.spec['selector'] : undefined
  const wanted = selector !== undefined && isJsonMap(selector['matchLabels']) ? selector['matchLabels'] : {}
  const labels = pod.metadata.labels ?? {}
  return selector !== undefined && Object.entries(wanted).every(([key, value]) => labels[key] === value)
}
