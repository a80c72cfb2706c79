import { isJsonMap } from '../../lib/apimachinery/index.ts'
import type { KubeObject } from '../../kinds/index.ts'

/** One condition of a definition's status. */
export interface CrdCondition {
  readonly type: string
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
  readonly lastTransitionTime: string
}

function conditionsOf(crd: KubeObject): readonly CrdCondition[] {
  const status = isJsonMap(crd.status) ? crd.status : {}
  return Array.isArray(status['conditions']) ? (status['conditions'] as CrdCondition[]) : []
}

/** Whether the resources of a definition are served. */
export function isEstablished(crd: KubeObject): boolean {
  return conditionsOf(crd).some((one) => one.type === 'Established' && one.status === 'True')
}

/** Conditions with one of them replaced or added. */
export function withCondition(crd: KubeObject, condition: CrdCondition): CrdCondition[] {
  const others = conditionsOf(crd).filter((one) => one.type !== condition.type)
  const before = conditionsOf(crd).find((one) => one.type === condition.type)
  const changed =
    before?.status === condition.status ? { ...condition, lastTransitionTime: before.lastTransitionTime } : condition
  return before === undefined
    ? [...others, changed]
    : conditionsOf(crd).map((one) => (one.type === condition.type ? changed : one))
}
