import type { Canary, KubeObject } from '../../kinds/index.ts'
import { draftOf } from './objects.ts'

interface WholeNumber {
  /** Fields from the canary on; `*` stands for every element of a list. */
  readonly path: readonly string[]
  /** Name of the Go struct that declares the field. */
  readonly struct: string
  readonly type: 'int' | 'int32'
}

const field = (path: string, struct: string, type: 'int' | 'int32' = 'int'): WholeNumber => ({
  path: path.split('.'),
  struct,
  type
})

/** Fields that the schema lets be fractions and Flagger's types do not, in the order of the encoded object. */
const WHOLE_NUMBERS: readonly WholeNumber[] = [
  field('spec.analysis.canaryReadyThreshold', 'CanaryAnalysis'),
  field('spec.analysis.iterations', 'CanaryAnalysis'),
  field('spec.analysis.maxWeight', 'CanaryAnalysis'),
  field('spec.analysis.mirrorWeight', 'CanaryAnalysis'),
  field('spec.analysis.primaryReadyThreshold', 'CanaryAnalysis'),
  field('spec.analysis.sessionAffinity.maxAge', 'SessionAffinity'),
  field('spec.analysis.stepWeight', 'CanaryAnalysis'),
  field('spec.analysis.stepWeightPromotion', 'CanaryAnalysis'),
  field('spec.analysis.stepWeights.*', 'CanaryAnalysis'),
  field('spec.analysis.threshold', 'CanaryAnalysis'),
  field('spec.analysis.webhooks.*.retries', 'CanaryWebhook'),
  field('spec.progressDeadlineSeconds', 'CanarySpec', 'int32'),
  field('spec.service.port', 'CanaryService', 'int32')
]

/**
 * A canary as Flagger's types hold it: the schema lets the service be left out, and the whole spec too, and then
 * everything in it is zero. Without a spec there is no analysis either, which a worker does not survive.
 */
export function decodeCanary(object: KubeObject): Canary {
  const canary = object as Canary
  const spec = (object.spec ?? NO_SPEC) as Canary['spec']
  return 'service' in spec && spec === canary.spec ? canary : { ...canary, spec: { ...spec, service: { port: 0 } } }
}

const NO_SPEC: Partial<Canary['spec']> = { targetRef: { kind: '', name: '' } }

/**
 * A canary of its own for a plan, which changes it as Flagger changes its object in memory: the status, the metadata of
 * the Services, and what stands in place of a part. All else is shared with what is stored.
 */
export function privateCanary(object: KubeObject): Canary {
  const canary = decodeCanary(object)
  const { spec, status } = canary
  const { service } = spec
  const own: Canary = { ...canary }
  if (status !== undefined) own.status = { ...status }
  if (service.apex !== undefined || service.canary !== undefined || service.primary !== undefined)
    own.spec = { ...spec, service: draftOf(service) }
  return own
}

/**
 * Why Flagger's typed client cannot decode a canary, as the error of listing all canaries; undefined when it can.
 * One such canary keeps the controller from seeing any.
 */
export function undecodable(canary: Canary): string | undefined {
  const { spec } = canary
  if (decodable.has(spec)) return undefined
  const problem = wrongNumber(canary)
  if (problem === undefined && Object.isFrozen(spec)) decodable.add(spec)
  return problem
}

/** Stored specs in which everything is right: they do not change, whatever is written beside them. */
const decodable = new WeakSet<Canary['spec']>()

function wrongNumber(canary: Canary): string | undefined {
  for (const { path, struct, type } of WHOLE_NUMBERS) {
    const fraction = valuesAt(canary, path).find((value) => typeof value === 'number' && !Number.isInteger(value))
    if (fraction === undefined) continue
    const place = ['items', ...path.filter((part) => part !== '*')].join('.')
    return `json: cannot unmarshal number ${String(fraction)} into Go struct field ${struct}.${place} of type ${type}`
  }
  return undefined
}

function valuesAt(value: unknown, path: readonly string[]): readonly unknown[] {
  const [part, ...rest] = path
  if (part === undefined) return [value]
  if (typeof value !== 'object' || value === null) return []
  if (part === '*') return Array.isArray(value) ? value.flatMap((entry) => valuesAt(entry, rest)) : []
  return valuesAt((value as Record<string, unknown>)[part], rest)
}
