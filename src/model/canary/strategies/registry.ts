import type { Plan } from '../effects.ts'
import type { DeploymentStrategy } from '../spec.ts'
import type { Tick } from '../tick-context.ts'
import { runAbTesting } from './ab-testing.ts'
import { runBlueGreen } from './blue-green.ts'
import { runCanary } from './canary.ts'

/** What a tick does once its analysis passed, by strategy. */
export const STRATEGIES: Readonly<Record<DeploymentStrategy, (tick: Tick) => Plan<void>>> = {
  canary: runCanary,
  'ab-testing': runAbTesting,
  'blue-green': runBlueGreen
}
