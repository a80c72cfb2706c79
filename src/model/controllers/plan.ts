import type { ApiRequest, ApiResponse, KubeObject } from '../../kinds/index.ts'
import type { Instant } from '../../lib/time/index.ts'
import type { Random } from '../../lib/random/index.ts'

/** What controllers read: an up-to-date cache of the API, indexed by namespace and owner. Objects are frozen and shared. */
export interface ClusterView {
  /** Objects of one resource in creation order; `group` is `''` for core, no namespace: all of them. */
  list(group: string, resource: string, namespace?: string): readonly KubeObject[]
  get(group: string, resource: string, namespace: string | undefined, name: string): KubeObject | undefined
  /** Objects of one resource whose controlling owner has that uid. */
  controlledBy(group: string, resource: string, ownerUid: string): readonly KubeObject[]
  /** Objects of one resource in a namespace that no controller owns. */
  orphans(group: string, resource: string, namespace: string): readonly KubeObject[]
}

/** Something a controller reports as a core/v1 Event. */
export interface ControllerEvent {
  readonly about: KubeObject
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
  /** Reporting component, e.g. `deployment-controller`. */
  readonly component: string
  /** Part of the object, e.g. `spec.containers{main}`. */
  readonly fieldPath?: string
  /** Node of a kubelet's event. */
  readonly host?: string
  /** Action of an events.k8s.io style event (the scheduler's `Binding`, `Scheduling`). */
  readonly action?: string
}

/** One step of a reconciler. */
export type ControllerEffect =
  /**
   * A write. An answer of status 400 or above ends the plan, which is tried again with back-off as upstream's work queues do,
   * unless the plan wants to see failures itself (`tolerate`).
   */
  | { readonly effect: 'api'; readonly request: ApiRequest; readonly tolerate: boolean }
  | { readonly effect: 'event'; readonly event: ControllerEvent }

/** What is left to do after a reconciliation. */
export interface Requeue {
  /** Look at the same object again at that time; absent: only when something changes. */
  readonly requeueAt?: Instant
  /** The plan met an error: try again with exponential back-off. */
  readonly retry?: boolean
  /** What the plan wrote to its own object is a reason to look at it again, which it otherwise is not. */
  readonly again?: boolean
}

/** A reconciler's straight-line code: it yields effects and receives the API's answers. */
export type Plan<T> = Generator<ControllerEffect, T, ApiResponse>

/** What a reconciler is given besides its object's key. */
export interface ReconcileContext {
  readonly view: ClusterView
  readonly now: Instant
  readonly random: Random
  /** Leave out intermediate writes that only a watcher would see. */
  readonly lean: boolean
}

/** Namespace (absent for cluster-scoped objects) and name of the object to reconcile. */
export interface ObjectKey {
  readonly namespace?: string
  readonly name: string
}

/** One controller: brings one object closer to what its spec says. */
export type Reconciler = (context: ReconcileContext, key: ObjectKey) => Plan<Requeue>

/** Nothing left to do. */
export const DONE: Requeue = {}

/** The effect of a write, to be yielded; a refusal ends the plan. */
export function write(request: ApiRequest): ControllerEffect {
  return { effect: 'api', request, tolerate: false }
}

/** The effect of a request that hears whatever the API answers, refusals too. */
export function attempt(request: ApiRequest): ControllerEffect {
  return { effect: 'api', request, tolerate: true }
}

/** The effect of an event. */
export function report(event: ControllerEvent): ControllerEffect {
  return { effect: 'event', event }
}
