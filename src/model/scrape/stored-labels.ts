import { Labels, METRIC_NAME } from '../../lib/tsdb/index.ts'
import { relabel } from './relabel.ts'
import type { Target } from './target.ts'

/** The label set under which an exposed series is stored: target labels, then metric relabelling; undefined when dropped. */
export function storedLabels(exposed: Labels, target: Target): Labels | undefined {
  const labels = joinLabels(exposed, target)
  const rules = target.config.metricRelabelRules ?? []
  const relabelled = rules.length === 0 ? labels : relabel(labels, rules)
  if (relabelled === undefined || (relabelled[METRIC_NAME] ?? '') === '') return undefined
  return Labels.of(relabelled)
}

/**
 * The labels that every series is stored under that has these ones beside its name and bound; undefined where
 * relabelling may look at those, so that each series has to be looked at by itself.
 * @param exposed - the labels without metric name and bucket bound
 * @param own - the target's labels
 */
export function storedBase(exposed: Labels, target: Target, own: Labels): Labels | undefined {
  if ((target.config.metricRelabelRules ?? []).length > 0) return undefined
  return exposed.joined(own) ?? Labels.of(joinLabels(exposed, target))
}

/** Joins exposed and target labels; the loser of a clash is kept as `exported_…`, unless labels are honoured. */
function joinLabels(exposed: Labels, target: Target): Record<string, string> {
  const own = target.labels
  const labels = exposed.toRecord()
  for (const [name, value] of Object.entries(own)) {
    const clash = labels[name]
    if (clash === undefined || clash === '') labels[name] = value
    else if (target.config.honorLabels !== true) {
      let renamed = `exported_${name}`
      while (labels[renamed] !== undefined || own[renamed] !== undefined) renamed = `exported_${renamed}`
      labels[renamed] = clash
      labels[name] = value
    }
  }
  return labels
}
