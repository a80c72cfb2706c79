import { z } from 'zod'
import type { JsonObject } from '../kinds/index.ts'
import { parseDurationMs, parseQuantity, parseRatePerSecond, parseRatio } from './quantity.ts'
import type { RawBound, RawCondition, RawDistribution, RawFault, RawImage, RawLoad, RawObjectCondition } from './raw.ts'

/** A duration as Go writes it. */
export const duration: z.ZodType<string> = z
  .string()
  .refine((text) => parseDurationMs(text) !== undefined, {
    error: 'expected a duration such as 500ms, 30s or 1m30s (at most a week)'
  })
  .meta({ description: 'A duration in simulated time: 500ms, 30s, 1m30s.', pattern: '^[0-9.]+(ns|us|µs|ms|s|m|h)|0' })

const quantity: z.ZodType<string | number> = z
  .union([z.number(), z.string()])
  .refine((value) => parseQuantity(value) !== undefined, {
    error: 'expected a number, a percentage such as 6% or a fraction such as 1/2'
  })

const ratio: z.ZodType<string | number> = z
  .union([z.number(), z.string()])
  .refine((value) => parseRatio(value) !== undefined, {
    error: 'expected a probability between 0 and 1, written 1/2, 0.05 or 5%'
  })

interface BoundShape {
  readonly is: z.ZodOptional<typeof quantity>
  readonly above: z.ZodOptional<typeof quantity>
  readonly below: z.ZodOptional<typeof quantity>
  readonly atLeast: z.ZodOptional<typeof quantity>
  readonly atMost: z.ZodOptional<typeof quantity>
}

const boundShape: BoundShape = {
  is: quantity.optional(),
  above: quantity.optional(),
  below: quantity.optional(),
  atLeast: quantity.optional(),
  atMost: quantity.optional()
}

/** The five comparisons, to be spread into an object that has more fields. */
export const boundFields: BoundShape = boundShape

/** A plain value or limits. */
export const bound: z.ZodType<RawBound> = z.union([quantity, z.strictObject(boundShape)])

const distribution: z.ZodType<RawDistribution> = z.union([
  duration,
  z
    .strictObject({
      mean: duration.optional(),
      stddev: duration.optional(),
      median: duration.optional(),
      sigma: z.number().positive().max(5).optional(),
      min: duration.optional(),
      max: duration.optional()
    })
    .refine(isDistribution, {
      error: 'expected mean (exponential), mean + stddev (normal), median + sigma (lognormal) or min + max (uniform)'
    })
])

/** JSON object written in place. */
export const jsonObject: z.ZodType<JsonObject> = z.record(z.string(), z.json()) as z.ZodType<JsonObject>

const FAULT_VERBS = ['status', 'delay', 'reset', 'notReady', 'crash'] as const

/** One fault of a version. */
export const fault: z.ZodType<RawFault> = z
  .strictObject({
    status: z.int().min(200).max(599).optional().meta({ description: 'Answer with this status.' }),
    delay: distribution.optional().meta({ description: 'Answer this much later.' }),
    reset: z.literal(true).optional().meta({ description: 'Close the connection without an answer.' }),
    notReady: z.union([z.literal(true), z.strictObject({ after: duration })]).optional(),
    crash: z
      .union([
        z.literal(true),
        z.strictObject({ after: duration.optional(), exitCode: z.int().min(0).max(255).optional() })
      ])
      .optional(),
    ratio: ratio.optional().meta({ description: 'Share of the matching requests; default all.' }),
    path: z.string().startsWith('/').optional().meta({ description: 'Exact path, or a prefix ending in *.' }),
    method: z.string().optional(),
    header: z.string().optional().meta({ description: 'Header name, or "name: value".' })
  })
  .refine((value) => FAULT_VERBS.filter((verb) => value[verb] !== undefined).length === 1, {
    error: `expected exactly one of ${FAULT_VERBS.join(', ')}`
  })

/** Names of the apps a scenario may use. */
export const APP_NAMES = ['podinfo', 'testapp', 'hello-world', 'nginx', 'slow-cooker', 'load-tester', 'pause'] as const

/** Behaviour of one image. */
export const image: z.ZodType<RawImage> = z.strictObject({
  app: z.enum(APP_NAMES),
  version: z.string().optional().meta({ description: "Version the app reports; default: the image's tag." }),
  startup: duration.optional().meta({ description: 'From container start to the first byte served.' }),
  latency: distribution.optional().meta({ description: 'Base service time of a request.' }),
  faults: z.array(fault).optional(),
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional()
})

/** An open-loop load. */
export const load: z.ZodType<RawLoad> = z.strictObject({
  name: z.string().regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'expected lower-case letters, digits and -'),
  to: z.url({ protocol: /^http$/, error: 'expected an http URL in cluster names, e.g. http://podinfo.test:9898/' }),
  rate: z
    .union([z.number(), z.string()])
    .refine((value) => parseRatePerSecond(value) !== undefined, { error: 'expected a rate such as 20/s or 600/m' }),
  arrivals: z.enum(['constant', 'poisson']).optional(),
  method: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.string().max(65_536).optional(),
  namespace: z.string().optional(),
  timeout: duration.optional(),
  start: duration.optional(),
  end: duration.optional()
})

/** Text of an object reference. */
export const objectName: z.ZodType<string> = z
  .string()
  .regex(/^[a-z]+(\.[a-z0-9.-]+)?\/[a-z0-9.-]+$/, 'expected kind/name, e.g. deployment/podinfo')

/** A reference with the fields the object must have. */
export const objectCondition: z.ZodType<RawObjectCondition> = z
  .strictObject({
    of: objectName,
    namespace: z.string().optional(),
    like: jsonObject.optional(),
    absent: z.literal(true).optional()
  })
  .refine((value) => (value.like === undefined) !== (value.absent === undefined), {
    error: 'expected either like (the fields the object must have) or absent: true'
  })

/** `name.namespace` of a canary. */
export const canaryName: z.ZodType<string> = z
  .string()
  .regex(/^[a-z0-9-]+\.[a-z0-9-]+$/, 'expected name.namespace, e.g. podinfo.test')

/** Phases of a canary. */
export const PHASES = [
  'Initializing',
  'Initialized',
  'Waiting',
  'Progressing',
  'WaitingPromotion',
  'Promoting',
  'Finalising',
  'Succeeded',
  'Failed',
  'Terminating',
  'Terminated'
] as const

/** One phase or several. */
export const phases: z.ZodType<string | string[]> = z.union([z.enum(PHASES), z.array(z.enum(PHASES)).min(1)])

const queryCondition: z.ZodType<NonNullable<RawCondition['query']>> = z.strictObject({
  expr: z.string().min(1).max(10_000),
  ...boundShape
})

interface ConditionShape {
  readonly canary: z.ZodOptional<z.ZodType<string>>
  readonly phase: z.ZodOptional<z.ZodType<string | string[]>>
  readonly weight: z.ZodOptional<z.ZodType<RawBound>>
  readonly milestone: z.ZodOptional<z.ZodString>
  readonly event: z.ZodOptional<z.ZodString>
  readonly command: z.ZodOptional<z.ZodString>
  readonly object: z.ZodOptional<z.ZodType<RawObjectCondition>>
  readonly query: z.ZodOptional<z.ZodType<NonNullable<RawCondition['query']>>>
}

const conditionShape: ConditionShape = {
  canary: canaryName.optional(),
  phase: phases.optional(),
  weight: bound.optional(),
  milestone: z.string().min(1).max(200).optional(),
  event: z.string().min(1).max(500).optional().meta({ description: 'Event text; * stands for any text.' }),
  command: z.string().optional().meta({ description: 'Name of a run step that has just ended.' }),
  object: objectCondition.optional(),
  query: queryCondition.optional()
}

/** Fields of a condition, to be spread into an object that has more fields. */
export const conditionFields: ConditionShape = conditionShape

/** A condition on its own. */
export const condition: z.ZodType<RawCondition> = z
  .strictObject(conditionShape)
  .refine(hasCondition, { error: `expected at least one of ${conditionWords()}` })

/** Whether an object says any condition at all. */
export function hasCondition(value: RawCondition): boolean {
  return [value.phase, value.weight, value.milestone, value.event, value.command, value.object, value.query].some(
    (part) => part !== undefined
  )
}

/** The fields one of which a condition needs. */
export function conditionWords(): string {
  return 'phase, weight, milestone, event, command, object, query'
}

function isDistribution(value: Exclude<RawDistribution, string>): boolean {
  const present = Object.entries(value)
    .filter(([, part]) => part !== undefined)
    .map(([key]) => key)
    .toSorted()
    .join('+')
  return ['mean', 'mean+stddev', 'median', 'median+sigma', 'max+min'].includes(present)
}
