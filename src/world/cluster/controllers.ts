import {
  type ObjectKey,
  type Plan,
  type ReconcileContext,
  type Requeue,
  reconcileDaemonSet,
  reconcileDeployment,
  reconcileDisruptionBudget,
  reconcileEndpointSlices,
  reconcileEndpoints,
  reconcileJob,
  reconcileQuota,
  reconcileReplicaSet
} from '../../model/controllers/index.ts'

/** Levels of the work queue: pods settle first, then what counts them, then what reads the counts. */
export const LEVEL = { pods: 0, sets: 1, workloads: 2, services: 3, cluster: 4 } as const

/** Number of levels. */
export const LEVELS = 5

/** A controller that needs nothing but the view. */
export interface PlainController {
  readonly level: number
  readonly reconcile: (context: ReconcileContext, key: ObjectKey) => Plan<Requeue>
}

/** Names of controllers that work on one object by namespace and name. */
export type ControllerName =
  | 'deployment'
  | 'replicaset'
  | 'daemonset'
  | 'job'
  | 'endpoints'
  | 'endpointslice'
  | 'disruption'
  | 'quota'

/** The plain controllers by name. */
export const CONTROLLERS: Readonly<Record<ControllerName, PlainController>> = {
  replicaset: { level: LEVEL.sets, reconcile: reconcileReplicaSet },
  daemonset: { level: LEVEL.sets, reconcile: reconcileDaemonSet },
  job: { level: LEVEL.sets, reconcile: reconcileJob },
  deployment: { level: LEVEL.workloads, reconcile: reconcileDeployment },
  endpoints: { level: LEVEL.services, reconcile: reconcileEndpoints },
  endpointslice: { level: LEVEL.services, reconcile: reconcileEndpointSlices },
  disruption: { level: LEVEL.services, reconcile: reconcileDisruptionBudget },
  quota: { level: LEVEL.services, reconcile: reconcileQuota }
}
