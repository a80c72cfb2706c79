import {
  addQuantities,
  compareQuantities,
  forbiddenStatus,
  formatQuantity,
  isJsonMap,
  parseQuantity
} from '../../lib/apimachinery/index.ts'
import type { KubeObject } from '../../kinds/index.ts'
import { isDryRun, type ResourceCall } from './core.ts'
import { refuse } from './refusal.ts'
import type { StoragePlace } from './resources.ts'

const QUOTAS: StoragePlace = { group: '', resource: 'resourcequotas', apiVersion: 'v1' }

/** Core resources that a quota may name without `count/`. */
const COUNTED: ReadonlySet<string> = new Set([
  'configmaps',
  'secrets',
  'services',
  'pods',
  'replicationcontrollers',
  'resourcequotas',
  'persistentvolumeclaims'
])

type Amounts = Record<string, unknown>

function amounts(value: unknown): Amounts {
  return isJsonMap(value) ? value : {}
}

/**
 * Plugin ResourceQuota: refuses a creation that a quota of the namespace does not allow, and notes what is used.
 * @param call - the request that creates
 * @param object - admitted object
 */
export function chargeQuotas(call: ResourceCall, object: KubeObject): void {
  if (!call.info.namespaced) return
  const { store } = call.core
  for (const quota of store.list('', 'resourcequotas', call.path.namespace)) {
    const status = amounts(quota.status)
    const hard = amounts(status['hard'])
    const asked = askedOf(call, object, Object.keys(hard))
    if (Object.keys(asked).length === 0) continue
    const used = usageAfter(call, object, { quota, hard, used: amounts(status['used']), asked })
    if (!isDryRun(call))
      store.put(QUOTAS, { ...quota, metadata: { ...quota.metadata }, status: { ...status, used } }, quota)
  }
}

function askedOf(call: ResourceCall, object: KubeObject, names: readonly string[]): Record<string, string> {
  const { group, resource } = call.info
  const asked: Record<string, string> = {}
  for (const name of names) {
    const counts =
      name === `count/${resource}${group === '' ? '' : `.${group}`}` ||
      (group === '' && name === resource && COUNTED.has(name))
    if (counts) asked[name] = '1'
    else if (group === '' && resource === 'pods' && !name.startsWith('count/') && !COUNTED.has(name))
      asked[name] = computeOf(object, name)
  }
  return asked
}

function computeOf(pod: KubeObject, name: string): string {
  const [kind, resource] = name.includes('.')
    ? [name.slice(0, name.indexOf('.')), name.slice(name.indexOf('.') + 1)]
    : ['requests', name]
  const spec = amounts(pod.spec)
  let total = parseQuantity('0')
  for (const container of Array.isArray(spec['containers']) ? (spec['containers'] as Amounts[]) : []) {
    const amount = parseQuantity(amounts(amounts(container['resources'])[kind])[resource])
    if (amount !== undefined && total !== undefined) total = addQuantities(total, amount)
  }
  return total === undefined ? '0' : formatQuantity(total)
}

interface Charge {
  readonly quota: KubeObject
  readonly hard: Amounts
  readonly used: Amounts
  readonly asked: Readonly<Record<string, string>>
}

function usageAfter(call: ResourceCall, object: KubeObject, charge: Charge): Amounts {
  const { hard, used, asked } = charge
  const after: Amounts = { ...used }
  const exceeded: string[] = []
  for (const [name, amount] of Object.entries(asked)) {
    const sum = add(used[name] ?? '0', amount)
    const limit = parseQuantity(hard[name])
    if (sum === undefined || limit === undefined) continue
    if (compareQuantities(sum, limit) > 0) exceeded.push(name)
    after[name] = formatQuantity(sum)
  }
  if (exceeded.length > 0) refuseCharge(call, object, charge, exceeded.sort())
  return after
}

function add(left: unknown, right: unknown): ReturnType<typeof parseQuantity> {
  const [a, b] = [parseQuantity(left), parseQuantity(right)]
  return a === undefined || b === undefined ? undefined : addQuantities(a, b)
}

function refuseCharge(call: ResourceCall, object: KubeObject, charge: Charge, exceeded: readonly string[]): never {
  const show = (values: Amounts): string => exceeded.map((name) => `${name}=${String(values[name] ?? '0')}`).join(',')
  const cause = `exceeded quota: ${charge.quota.metadata.name}, requested: ${show(charge.asked)}, used: ${show(charge.used)}, limited: ${show(charge.hard)}`
  const resource = { group: call.info.group, name: call.info.resource }
  return refuse(forbiddenStatus(resource, object.metadata.name, cause))
}
