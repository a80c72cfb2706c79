import { addQuantities, formatQuantity, parseQuantity } from '../../lib/apimachinery/index.ts'
import type { KubeObject } from '../../kinds/index.ts'
import { sameJson } from './json.ts'
import { DONE, type ObjectKey, type Plan, type ReconcileContext, type Requeue, write } from './plan.ts'
import { isPodFinished } from './pod-facts.ts'
import { updateRequest } from './requests.ts'
import type { Pod } from './shapes.ts'

/** Group and resource of the object counts a quota may name without `count/`. */
const COUNTED: Readonly<Record<string, readonly [string, string]>> = {
  configmaps: ['', 'configmaps'],
  secrets: ['', 'secrets'],
  services: ['', 'services'],
  pods: ['', 'pods'],
  replicationcontrollers: ['', 'replicationcontrollers'],
  resourcequotas: ['', 'resourcequotas'],
  persistentvolumeclaims: ['', 'persistentvolumeclaims']
}

/**
 * Recounts what a namespace uses of a quota.
 * @see kubernetes/pkg/controller/resourcequota, v1.36
 */
export function* reconcileQuota(context: ReconcileContext, key: ObjectKey): Plan<Requeue> {
  const quota = context.view.get('', 'resourcequotas', key.namespace, key.name)
  if (quota === undefined || quota.metadata.deletionTimestamp !== undefined) return DONE
  const { hard = {} } = (quota.spec ?? {}) as { readonly hard?: Readonly<Record<string, string>> }
  const used: Record<string, string> = {}
  for (const name of Object.keys(hard)) used[name] = usageOf(context, quota, name)
  const status = { hard, used }
  if (!sameJson(quota.status, status)) yield write(updateRequest({ ...quota, status }, 'resourcequotas', 'status'))
  return DONE
}

function usageOf(context: ReconcileContext, quota: KubeObject, name: string): string {
  const { namespace } = quota.metadata
  const counted = countedResource(name)
  if (counted !== undefined) {
    const objects = context.view.list(counted[0], counted[1], namespace)
    const live = counted[1] === 'pods' ? objects.filter((pod) => !isPodFinished(pod as Pod)) : objects
    return String(live.length)
  }
  const [kind = '', resource = ''] = name.includes('.') ? splitOnce(name) : ['requests', name]
  if (kind !== 'requests' && kind !== 'limits') return '0'
  let total = parseQuantity('0')
  for (const pod of context.view.list('', 'pods', namespace) as readonly Pod[]) {
    if (isPodFinished(pod)) continue
    for (const container of pod.spec.containers) {
      const resources = container.resources as Readonly<Record<string, Readonly<Record<string, string>>>> | undefined
      const amount = parseQuantity(resources?.[kind]?.[resource])
      if (amount !== undefined && total !== undefined) total = addQuantities(total, amount)
    }
  }
  return total === undefined ? '0' : formatQuantity(total)
}

function countedResource(name: string): readonly [string, string] | undefined {
  if (!name.startsWith('count/')) return COUNTED[name]
  const [resource = '', ...group] = name.slice('count/'.length).split('.')
  return [group.join('.'), resource]
}

function splitOnce(text: string): [string, string] {
  const at = text.indexOf('.')
  return [text.slice(0, at), text.slice(at + 1)]
}
