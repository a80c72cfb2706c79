import { ERROR_CODES, type ErrorCode } from '../lib/errors/index.ts'
import { parseGoDuration } from '../lib/time/index.ts'
import type { KubeObject } from '../kinds/index.ts'
import { loadCases } from '../run/index.ts'

/** `twin explain`: what a canary will do at best, tick by tick; or what an error code means. */
export function explainCommand(subject: string): number {
  if (subject in ERROR_CODES) {
    const { meaning, fix, exitCode } = ERROR_CODES[subject as ErrorCode]
    process.stdout.write(`${subject} (exit code ${exitCode})\n  ${meaning}\n  ${fix}\n`)
    return 0
  }
  const { cases, invalid } = loadCases({ files: [subject] })
  for (const result of invalid) process.stderr.write(`${result.error?.message ?? result.name}\n`)
  for (const scenario of cases) {
    process.stdout.write(`${scenario.name}\n`)
    for (const object of scenario.manifests) if (object.kind === 'Canary') explainCanary(object, scenario.load)
  }
  return invalid.length === 0 ? 0 : 2
}

interface Analysis {
  readonly interval?: string
  readonly threshold?: number
  readonly stepWeight?: number
  readonly stepWeights?: readonly number[]
  readonly maxWeight?: number
  readonly iterations?: number
  readonly metrics?: readonly { readonly name: string; readonly interval?: string }[]
}

/** Shortest interval between ticks (flagger 1.44.0 pkg/apis/flagger/v1beta1/canary.go, GetAnalysisInterval). */
const INTERVAL_MS_MIN = 10_000

function explainCanary(object: KubeObject, loads: readonly { readonly ratePerSecond: number }[]): void {
  const { analysis = {} } = (object.spec ?? {}) as { analysis?: Analysis }
  const intervalMs = Math.max(INTERVAL_MS_MIN, parseGoDuration(analysis.interval ?? '1m') ?? 60_000)
  const weights = plannedWeights(analysis)
  const name = `${object.metadata.name}.${object.metadata.namespace ?? 'default'}`
  // One tick notices the revision, one per weight, one copies, one routes back, one ends; each needs ready pods.
  const ticks = weights.length + 4
  const lines = [
    `  ${name}: a tick every ${intervalMs / 1000} s, rollback on the tick after ${analysis.threshold ?? 1} failed checks in all`,
    `  weights ${weights.join(', ') || `none, ${analysis.iterations ?? 0} iterations`}`,
    `  at best promoted ${(ticks * intervalMs) / 1000} s after the change was noticed`
  ]
  const rate = loads.reduce((sum, load) => sum + load.ratePerSecond, 0)
  for (const metric of analysis.metrics ?? []) {
    const windowMs = parseGoDuration(metric.interval ?? '1m') ?? 60_000
    const requests = (rate * (weights[0] ?? 100) * windowMs) / 100_000
    const known =
      rate > 0 ? `about ${Math.round(requests)} user requests at the first weight` : 'no load is declared here'
    lines.push(`  ${metric.name}: over ${windowMs / 1000} s, ${known}`)
  }
  process.stdout.write(`${lines.join('\n')}\n`)
}

/** Weights of the canary strategy in order (flagger 1.44.0 pkg/controller/scheduler.go, nextStepWeight). */
function plannedWeights(analysis: Analysis): number[] {
  if (analysis.stepWeights !== undefined && analysis.stepWeights.length > 0) return [...analysis.stepWeights]
  const step = analysis.stepWeight ?? 0
  if (step <= 0) return []
  const weights: number[] = []
  for (let weight = 0; weight < (analysis.maxWeight ?? 100) && weights.length < 100;) {
    weight = Math.min(100, weight + step)
    weights.push(weight)
  }
  return weights
}
