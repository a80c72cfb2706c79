import { z } from 'zod'
import type { RawExpectation, RawManifest, RawScenario, RawSequenceItem, RawStep } from './raw.ts'
import {
  bound,
  boundFields,
  canaryName,
  condition,
  conditionFields,
  conditionWords,
  duration,
  fault,
  hasCondition,
  image,
  jsonObject,
  load,
  objectCondition,
  objectName,
  phases
} from './schema-parts.ts'

const STEP_VERBS = ['wait', 'run', 'note', 'faults', 'apply', 'delete', 'at', 'after', 'every', 'when'] as const
const SCHEDULED = ['at', 'after', 'every', 'when'] as const
const RUN_ONLY = ['from', 'background', 'exitCode', 'stdout', 'name'] as const

const manifest: z.ZodType<RawManifest> = z.union([z.string().min(1), jsonObject])

const waitCondition = z
  .strictObject({ ...conditionFields, timeout: duration.optional() })
  .refine(hasCondition, { error: `expected at least one of ${conditionWords()}` })

const output = z
  .strictObject({
    contains: z.string().optional(),
    lines: z.strictObject({ like: z.string().min(1).max(500), ...boundFields }).optional()
  })
  .refine((value) => (value.contains === undefined) !== (value.lines === undefined), {
    error: 'expected either contains or lines'
  })

const step: z.ZodType<RawStep> = z
  .strictObject({
    name: z.string().optional(),
    wait: z.union([duration, waitCondition]).optional(),
    run: z.string().min(1).max(10_000).optional().meta({ description: 'Shell command typed in the world.' }),
    from: z
      .string()
      .regex(/^[a-z0-9-]+\/[a-z0-9.-]+$/, 'expected namespace/deployment')
      .optional()
      .meta({ description: 'namespace/deployment whose pod the command runs in; absent: the operator’s terminal.' }),
    background: z.boolean().optional(),
    exitCode: z.union([z.int().min(0).max(255), z.literal('any')]).optional(),
    stdout: z.union([output, z.array(output)]).optional(),
    note: z.string().optional(),
    faults: z.record(z.string(), z.array(fault)).optional(),
    apply: z.array(manifest).min(1).optional(),
    delete: z.strictObject({ of: objectName, namespace: z.string().optional() }).optional(),
    at: condition.optional().meta({ description: 'The first time this holds, do the steps.' }),
    after: duration.optional().meta({ description: 'This long after the step was reached, do the steps.' }),
    every: duration.optional().meta({ description: 'Again and again, do the steps.' }),
    times: z.int().min(1).max(100_000).optional(),
    until: condition.optional(),
    when: condition.optional().meta({ description: 'Each time this begins to hold, do the steps.' }),
    do: z
      .array(z.lazy(() => step))
      .min(1)
      .optional()
  })
  .superRefine(checkStep)

const sequenceItem: z.ZodType<RawSequenceItem> = z.union([
  z.string().min(1).max(300),
  z.strictObject({ event: z.string().min(1).max(500), times: z.union([z.int().min(0), z.string()]).optional() })
])

const EXPECTATION_VERBS = [
  'sequence',
  'ordered',
  'never',
  'always',
  'holds',
  'within',
  'count',
  'users',
  'final',
  'query'
] as const

const expectation: z.ZodType<RawExpectation> = z
  .strictObject({
    canary: canaryName.optional(),
    sequence: z.array(sequenceItem).min(1).optional().meta({ description: 'All milestones, in order.' }),
    ordered: z.array(sequenceItem).min(1).optional().meta({ description: 'Milestones in this order, others between.' }),
    never: condition.optional(),
    always: condition.optional(),
    holds: condition.optional().meta({ description: 'Holds until `until` does, which it must.' }),
    until: condition.optional(),
    within: z
      .strictObject({
        ...conditionFields,
        ticks: z.int().min(0).optional(),
        time: duration.optional(),
        since: z.string().optional().meta({ description: 'Milestone to count from; default New revision.' })
      })
      .refine(hasCondition, { error: `expected at least one of ${conditionWords()}` })
      .refine((value) => (value.ticks === undefined) !== (value.time === undefined), {
        error: 'expected either ticks or time'
      })
      .optional(),
    count: z
      .strictObject({ ...conditionFields, times: bound })
      .refine((value) => value.milestone !== undefined || value.event !== undefined, {
        error: 'expected a milestone or an event to count'
      })
      .optional(),
    users: z
      .strictObject({
        load: z.string().optional(),
        requests: bound.optional(),
        failedRequests: bound.optional(),
        versions: z.record(z.string(), bound).optional()
      })
      .optional(),
    final: z
      .strictObject({
        phase: phases.optional(),
        weight: bound.optional(),
        image: z
          .strictObject({
            of: objectName,
            namespace: z.string().optional(),
            is: z.string(),
            container: z.string().optional()
          })
          .optional(),
        replicas: z.strictObject({ of: objectName, namespace: z.string().optional(), ...boundFields }).optional(),
        object: objectCondition.optional()
      })
      .optional(),
    query: z
      .strictObject({ expr: z.string().min(1).max(10_000), absent: z.boolean().optional(), ...boundFields })
      .optional()
  })
  .superRefine(checkExpectation)

const parameter = z.union([z.string(), z.number(), z.boolean()])

/** The scenario document. */
export const scenarioSchema: z.ZodType<RawScenario> = z.strictObject({
  apiVersion: z.literal('twin/v1alpha1'),
  kind: z.literal('Scenario'),
  metadata: z.strictObject({
    name: z.string().regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'expected lower-case letters, digits, - and .'),
    labels: z.record(z.string(), z.string()).optional()
  }),
  spec: z.strictObject({
    description: z.string().optional(),
    seed: z.int().min(0).max(0xffff_ffff).optional(),
    timeout: duration.optional().meta({ description: 'Budget in simulated time; default 1h.' }),
    wallTimeout: duration.optional().meta({ description: 'Budget in wall time; default 2m.' }),
    params: z.record(z.string(), parameter).optional(),
    matrix: z.record(z.string(), z.array(parameter).min(1)).optional(),
    worlds: z
      .strictObject({
        exclude: z
          .array(
            z.strictObject({ world: z.enum(['embedded', 'virtual', 'kind', 'k3s', 'cluster']), because: z.string() })
          )
          .optional()
      })
      .optional(),
    manifests: z.array(manifest),
    mesh: z
      .strictObject({
        provider: z.string().optional().meta({ description: 'linkerd, smi, gatewayapi, istio, nginx or kubernetes.' }),
        adminTraffic: z.boolean().optional()
      })
      .optional(),
    controller: z
      .strictObject({
        flags: z.record(z.string(), parameter).optional(),
        env: z.record(z.string(), z.string()).optional()
      })
      .optional(),
    images: z.record(z.string(), image),
    load: z.array(load).optional(),
    allowHosts: z.array(z.string()).optional(),
    steps: z.array(step).optional(),
    expect: z.array(expectation).min(1)
  })
})

function checkStep(value: RawStep, context: z.RefinementCtx): void {
  const verbs = STEP_VERBS.filter((verb) => value[verb] !== undefined)
  if (verbs.length !== 1) {
    context.addIssue({ code: 'custom', message: `expected exactly one of ${STEP_VERBS.join(', ')}${got(verbs)}` })
    return
  }
  const scheduled = SCHEDULED.some((verb) => value[verb] !== undefined)
  if (scheduled !== (value.do !== undefined)) {
    const message = scheduled ? `${verbs[0]} needs do: the steps to take then` : 'do goes with at, after, every or when'
    context.addIssue({ code: 'custom', message })
  }
  if (value.run === undefined) {
    for (const key of RUN_ONLY) {
      if (value[key] !== undefined) context.addIssue({ code: 'custom', path: [key], message: `${key} goes with run` })
    }
  }
  if (value.until !== undefined && value.every === undefined) {
    context.addIssue({ code: 'custom', path: ['until'], message: 'until goes with every' })
  }
  if (value.times !== undefined && value.every === undefined && value.when === undefined) {
    context.addIssue({ code: 'custom', path: ['times'], message: 'times goes with every or when' })
  }
}

function checkExpectation(value: RawExpectation, context: z.RefinementCtx): void {
  const verbs = EXPECTATION_VERBS.filter((verb) => value[verb] !== undefined)
  if (verbs.length !== 1) {
    context.addIssue({
      code: 'custom',
      message: `expected exactly one of ${EXPECTATION_VERBS.join(', ')}${got(verbs)}`
    })
    return
  }
  if ((value.holds === undefined) !== (value.until === undefined)) {
    context.addIssue({ code: 'custom', message: 'holds and until go together: what holds, and until when' })
  }
}

function got(verbs: readonly string[]): string {
  return verbs.length === 0 ? '' : `, got ${verbs.join(' and ')}`
}
