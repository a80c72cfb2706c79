import type { AppSpec } from '../kinds/index.ts'
import { readManifests } from './manifests.ts'
import type { Report } from './problem.ts'
import { durationMs } from './quantity.ts'
import type { RawStep } from './raw.ts'
import { resolveFault } from './resolve-images.ts'
import { type Defaults, resolveCondition, resolveOutputs } from './resolve-conditions.ts'
import type { Step, StepBody } from './resolved.ts'
import { lintManifests } from './manifest-lint.ts'
import { locate, type NodePath, problemAt, type SourceDocument, sourceText } from './source.ts'
import { suggest } from './suggestion.ts'

/** What steps are resolved with. */
export interface StepContext {
  readonly source: SourceDocument
  readonly images: Readonly<Record<string, AppSpec>>
  readonly defaults: Defaults
  readonly report: Report
}

/** Most steps of one scenario, those inside others included. */
const STEP_DEPTH_MAX = 5

/** Steps with their units resolved and their manifests read. */
export function resolveSteps(raw: readonly RawStep[], path: NodePath, context: StepContext): Step[] {
  if (path.length > STEP_DEPTH_MAX * 2 + 2) {
    context.report(problemAt(context.source, path, { message: `steps nested deeper than ${STEP_DEPTH_MAX} levels` }))
    return []
  }
  return raw.flatMap((step, index) => {
    const own = [...path, index]
    const body = resolveScheduled(step, own, context) ?? resolveAction(step, own, context)
    if (body === undefined) return []
    return [{ ...body, place: locate(context.source, own).place, text: sourceText(context.source, own) }]
  })
}

function resolveScheduled(raw: RawStep, path: NodePath, context: StepContext): StepBody | undefined {
  if (raw.do === undefined) return undefined
  const steps = resolveSteps(raw.do, [...path, 'do'], context)
  const times = raw.times === undefined ? {} : { times: raw.times }
  if (raw.at !== undefined) return { kind: 'at', condition: resolveCondition(raw.at, context.defaults), steps }
  if (raw.when !== undefined) {
    return { kind: 'when', condition: resolveCondition(raw.when, context.defaults), steps, ...times }
  }
  if (raw.after !== undefined) return { kind: 'after', ms: durationMs(raw.after), steps }
  const until = raw.until === undefined ? {} : { until: resolveCondition(raw.until, context.defaults) }
  return { kind: 'every', ms: Math.max(1, durationMs(raw.every ?? '1s')), steps, ...times, ...until }
}

function resolveAction(raw: RawStep, path: NodePath, context: StepContext): StepBody | undefined {
  if (raw.wait !== undefined) return resolveWait(raw.wait, context.defaults)
  if (raw.run !== undefined) {
    return {
      kind: 'run',
      command: raw.run,
      ...(raw.from === undefined ? {} : { from: raw.from }),
      ...(raw.name === undefined ? {} : { name: raw.name }),
      background: raw.background ?? false,
      exitCode: raw.exitCode ?? (raw.background === true ? 'any' : 0),
      stdout: resolveOutputs(raw.stdout)
    }
  }
  if (raw.note !== undefined) return { kind: 'note', text: raw.note }
  if (raw.faults !== undefined) return resolveFaultStep(raw.faults, path, context)
  if (raw.apply !== undefined) {
    const objects = readManifests(raw.apply, { source: context.source, path: [...path, 'apply'] }, context.report)
    const scenario = { source: context.source, path }
    lintManifests(objects, { images: Object.keys(context.images), scenario }, context.report)
    return { kind: 'apply', objects: objects.map((entry) => entry.object) }
  }
  const target = raw.delete
  if (target === undefined) return undefined
  const slash = target.of.indexOf('/')
  return {
    kind: 'delete',
    objectKind: target.of.slice(0, slash),
    name: target.of.slice(slash + 1),
    namespace: target.namespace ?? context.defaults.namespace
  }
}

function resolveWait(raw: NonNullable<RawStep['wait']>, defaults: Defaults): StepBody {
  if (typeof raw === 'string') return { kind: 'sleep', ms: durationMs(raw) }
  const timeout = raw.timeout === undefined ? {} : { timeoutMs: durationMs(raw.timeout) }
  return { kind: 'wait', condition: resolveCondition(raw, defaults), ...timeout }
}

function resolveFaultStep(raw: NonNullable<RawStep['faults']>, path: NodePath, context: StepContext): StepBody {
  const images: Record<string, AppSpec> = {}
  for (const [image, faults] of Object.entries(raw)) {
    const declared = context.images[image]
    if (declared === undefined) {
      context.report(
        problemAt(context.source, [...path, 'faults'], {
          message: `image "${image}" has no entry in spec.images`,
          fix: suggest(image, Object.keys(context.images)),
          key: image,
          code: 'TWIN_IMAGE_UNKNOWN'
        })
      )
    } else images[image] = { ...declared, faults: faults.map(resolveFault) }
  }
  return { kind: 'faults', images }
}
