import { statusFailure } from '../../lib/apimachinery/index.ts'
import type { KubeObject } from '../../kinds/index.ts'
import type { ResourceCall } from './core.ts'
import { refuse } from './refusal.ts'
import type { Warnings } from './warnings.ts'

/** What an apply led to. */
export interface Applied {
  readonly object: KubeObject
  readonly isNew: boolean
}

/**
 * Server-side apply.
 * @param _call - the request
 * @param _config - applied configuration
 * @param _warnings - takes what should be told the client
 */
export function applyObject(_call: ResourceCall, _config: unknown, _warnings: Warnings): Applied {
  return refuse(statusFailure(501, 'NotImplemented', 'server-side apply is not served yet'))
}
