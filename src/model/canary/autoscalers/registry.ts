import type { ControllerSettings } from '../settings.ts'
import { hpaScaler } from './hpa.ts'
import { kedaScaler } from './keda.ts'
import type { Scaler } from './scaler.ts'

/** Autoscalers by kind; adding one takes this line and its file. */
const SCALERS: Readonly<Record<string, (settings: ControllerSettings) => Scaler>> = {
  HorizontalPodAutoscaler: hpaScaler,
  ScaledObject: kedaScaler
}

/** Operations for a kind of autoscaler; undefined for an unknown one, which behaves as if there were none. */
export function scalerFor(settings: ControllerSettings, kind: string | undefined): Scaler | undefined {
  return kind === undefined ? undefined : SCALERS[kind]?.(settings)
}
