import { compareQuantities, forbiddenStatus, isJsonMap, parseQuantity } from '../../lib/apimachinery/index.ts'
import type { KubeObject } from '../../kinds/index.ts'
import type { ResourceCall } from './core.ts'
import { refuse } from './refusal.ts'

type Amounts = Record<string, unknown>

interface ContainerLimit {
  readonly defaults: Amounts
  readonly defaultRequests: Amounts
  readonly max: Amounts
  readonly min: Amounts
}

function amounts(value: unknown): Amounts {
  return isJsonMap(value) ? value : {}
}

function containerLimits(call: ResourceCall): ContainerLimit[] {
  const found: ContainerLimit[] = []
  for (const range of call.core.store.list('', 'limitranges', call.path.namespace)) {
    const limits =
      isJsonMap(range.spec) && Array.isArray(range.spec['limits']) ? (range.spec['limits'] as unknown[]) : []
    for (const limit of limits) {
      if (!isJsonMap(limit) || limit['type'] !== 'Container') continue
      const { default: defaults, defaultRequest, max, min } = limit
      found.push({
        defaults: amounts(defaults),
        defaultRequests: amounts(defaultRequest),
        max: amounts(max),
        min: amounts(min)
      })
    }
  }
  return found
}

/**
 * Plugin LimitRanger for containers: fills in default requests and limits, refuses what is outside the range.
 * @param call - the request that creates a pod
 * @param object - pod
 */
export function limitRange(call: ResourceCall, object: KubeObject): KubeObject {
  const limits = containerLimits(call)
  const spec = isJsonMap(object.spec) ? object.spec : {}
  if (limits.length === 0 || !Array.isArray(spec['containers'])) return object
  const notes: string[] = []
  const containers = (spec['containers'] as Amounts[]).map((container) => withDefaults(container, limits, notes))
  const errors = containers.flatMap((container) => limits.flatMap((limit) => rangeErrors(container, limit)))
  if (errors.length > 0) {
    const cause = errors.length === 1 ? errors.join('') : `[${errors.join(', ')}]`
    refuse(forbiddenStatus({ group: '', name: 'pods' }, object.metadata.name, cause))
  }
  const limited: KubeObject = { ...object, spec: { ...spec, containers } }
  if (notes.length === 0) return limited
  const annotations = {
    ...object.metadata.annotations,
    'kubernetes.io/limit-ranger': `LimitRanger plugin set: ${notes.join('; ')}`
  }
  return { ...limited, metadata: { ...object.metadata, annotations } }
}

function withDefaults(container: Amounts, limits: readonly ContainerLimit[], notes: string[]): Amounts {
  const resources = amounts(container['resources'])
  const requested = { ...amounts(resources['requests']) }
  const limited = { ...amounts(resources['limits']) }
  const added = { request: new Set<string>(), limit: new Set<string>() }
  for (const { defaults, defaultRequests } of limits) {
    addMissing(limited, defaults, added.limit)
    addMissing(requested, defaultRequests, added.request)
  }
  for (const kind of ['request', 'limit'] as const) {
    if (added[kind].size > 0)
      notes.push(`${[...added[kind]].sort().join(', ')} ${kind} for container ${String(container['name'])}`)
  }
  const next: Amounts = { ...resources }
  if (Object.keys(limited).length > 0) next['limits'] = limited
  if (Object.keys(requested).length > 0) next['requests'] = requested
  return { ...container, resources: next }
}

function addMissing(amounts: Amounts, defaults: Amounts, added: Set<string>): void {
  for (const [name, amount] of Object.entries(defaults)) {
    if (amounts[name] !== undefined) continue
    amounts[name] = amount
    added.add(name)
  }
}

function exceeds(left: unknown, right: unknown): boolean {
  const [a, b] = [parseQuantity(left), parseQuantity(right)]
  return a !== undefined && b !== undefined && compareQuantities(a, b) > 0
}

function rangeErrors(container: Amounts, limit: ContainerLimit): string[] {
  const resources = amounts(container['resources'])
  const requested = amounts(resources['requests'])
  const limited = amounts(resources['limits'])
  const errors: string[] = []
  for (const [name, least] of Object.entries(limit.min)) {
    const subject = `minimum ${name} usage per Container is ${String(least)}`
    if (requested[name] === undefined) errors.push(`${subject}.  No request is specified`)
    else if (exceeds(least, requested[name])) errors.push(`${subject}, but request is ${String(requested[name])}`)
  }
  for (const [name, most] of Object.entries(limit.max)) {
    const subject = `maximum ${name} usage per Container is ${String(most)}`
    if (limited[name] === undefined) errors.push(`${subject}.  No limit is specified`)
    else if (exceeds(limited[name], most)) errors.push(`${subject}, but limit is ${String(limited[name])}`)
  }
  return errors
}
