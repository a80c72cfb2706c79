import type { Canary } from '../../kinds/index.ts'
import type { Scaler } from './autoscalers/scaler.ts'
import type { Router, Routes } from './routers/router.ts'
import type { ControllerSettings } from './settings.ts'
import type { Target, TargetMetadata } from './targets/target.ts'

/** What the steps of one tick share. The canary in memory is private to the tick and may be changed. */
export interface Tick {
  readonly settings: ControllerSettings
  readonly canary: Canary
  /** The canary's provider or the flag's. */
  readonly provider: string
  readonly target: Target
  readonly router: Router
  readonly scaler: Scaler | undefined
  metadata: TargetMetadata
  /** As read from the mesh in this tick. */
  routes: Routes
}
