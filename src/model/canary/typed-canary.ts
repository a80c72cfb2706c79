import type { Canary } from '../../kinds/index.ts'
import { statusOf } from './spec.ts'

/** A canary with the fields that a typed client always writes. */
export type TypedCanary = Canary & { status: NonNullable<Canary['status']> }

/**
 * A canary as Flagger's typed client writes it back: fields without `omitempty` are there even when nobody set them. The
 * API server refuses the null among them, so that a canary with an autoscaler and without queries gets no finalizer.
 * @see fluxcd/flagger pkg/apis/flagger/v1beta1/canary.go 1.44.0
 */
export function typedCanary(canary: Canary): TypedCanary {
  const { spec } = canary
  const { autoscalerRef, analysis } = spec
  const webhooks = analysis.webhooks?.map((hook) => ({ type: '' as const, muteAlert: false, ...hook }))
  return {
    ...canary,
    spec: {
      ...spec,
      service: { portDiscovery: false, ...spec.service },
      analysis: { threshold: 0, ...analysis, ...(webhooks === undefined ? {} : { webhooks }) },
      ...(autoscalerRef === undefined ? {} : { autoscalerRef: { ...NO_QUERIES, ...autoscalerRef } })
    },
    status: statusOf(canary)
  }
}

const NO_QUERIES: object = { primaryScalerQueries: null }
