import { copyOf } from '../../lib/apimachinery/index.ts'
import type { KubeObject } from '../../kinds/index.ts'

/** Fields of core/v1 Event and their names in events.k8s.io/v1. */
const RENAMED: readonly (readonly [core: string, events: string])[] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
  ['reportingComponent', 'reportingController']
]

/**
 * An Event in the other group's form (k8s.io/kubernetes/pkg/apis/events/v1/conversion.go).
 * @param event - an Event of either group
 * @param apiVersion - wanted version
 */
export function convertEvent(event: KubeObject, apiVersion: 'v1' | 'events.k8s.io/v1'): KubeObject {
  const names = new Map(RENAMED.map(([core, events]) => (apiVersion === 'v1' ? [events, core] : [core, events])))
  const converted: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(event)) converted[names.get(key) ?? key] = value
  return { ...converted, apiVersion } as KubeObject
}

/** Fields that Go writes in every core/v1 Event, set or not. */
const ALWAYS_WRITTEN: Readonly<Record<string, unknown>> = {
  involvedObject: Object.freeze({}),
  source: Object.freeze({}),
  firstTimestamp: null,
  lastTimestamp: null,
  eventTime: null,
  reportingComponent: '',
  reportingInstance: ''
}

/**
 * An Event with the fields that are always written.
 * @param event - core/v1 Event
 */
export function completeEvent(event: KubeObject): KubeObject {
  let complete: KubeObject | undefined
  for (const field in ALWAYS_WRITTEN)
    if (event[field] === undefined) (complete ??= copyOf(event))[field] = ALWAYS_WRITTEN[field]
  return complete ?? event
}
