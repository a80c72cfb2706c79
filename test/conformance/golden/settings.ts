import { parseFlags, resolveSettings, type ControllerSettings } from '../../../src/world/controller/index.ts'
import type { GoldenCase } from './case.ts'

/** Settings of a case's controller: the flags every case has, its own, its environment. */
export function caseSettings(golden: GoldenCase, quirksOff: readonly string[] = []): ControllerSettings {
  return resolveSettings({ flags: caseFlags(golden), env: golden.env ?? {}, quirksOff })
}

function caseFlags(golden: GoldenCase): Record<string, string> {
  const { extraNamespaces = [] } = golden
  return {
    'metrics-server': 'http://prometheus.test',
    'event-webhook': 'http://events.test/',
    'control-loop-interval': '1s',
    ...(extraNamespaces.length === 0 ? { namespace: golden.namespace } : {}),
    ...parseFlags(golden.flags ?? [])
  }
}
