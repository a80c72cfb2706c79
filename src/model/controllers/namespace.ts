import type { KubeObject } from '../../kinds/index.ts'
import { formatTimestamp } from '../../lib/time/index.ts'
import { sameJson } from './json.ts'
import { DONE, type ObjectKey, type Plan, type ReconcileContext, type Requeue, attempt, write } from './plan.ts'
import { createRequest, deleteRequest, updateRequest } from './requests.ts'
import type { Condition } from './shapes.ts'

const ROOT_CA = 'kube-root-ca.crt'

/** Time between a change of a terminating namespace and the controller's look at it (`namespaceDeletionGracePeriod`). */
export const NAMESPACE_GRACE_MS = 5000

/** An object inside a namespace and the resource it is served as. */
export interface NamespaceContent {
  readonly resource: string
  readonly object: KubeObject
}

/** What a namespace is born with and what it holds when it dies. */
export interface NamespaceSource {
  /** PEM certificate published in every namespace. */
  readonly rootCertificate: string
  contents(namespace: string): readonly NamespaceContent[]
}

/**
 * Gives an active namespace its default ServiceAccount and root certificate; empties and finalises a terminating one.
 * @see kubernetes/pkg/controller/{serviceaccount,certificates/rootcacertpublisher,namespace}, v1.36
 */
export function* reconcileNamespace(context: ReconcileContext, key: ObjectKey, source: NamespaceSource): Plan<Requeue> {
  const namespace = context.view.get('', 'namespaces', undefined, key.name)
  if (namespace === undefined) return DONE
  if (namespace.metadata.deletionTimestamp !== undefined) return yield* empty(context, namespace, source)
  yield* equip(context, key.name, source)
  return DONE
}

function* equip(context: ReconcileContext, name: string, source: NamespaceSource): Plan<void> {
  const { view } = context
  if (view.get('', 'serviceaccounts', name, 'default') === undefined) {
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }
    yield attempt(createRequest(account, { apiVersion: 'v1', resource: 'serviceaccounts', namespace: name }))
  }
  const data = { 'ca.crt': source.rootCertificate }
  const published = view.get('', 'configmaps', name, ROOT_CA)
  if (published === undefined) {
    const annotations = {
      'kubernetes.io/description':
        'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the ' +
        'internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.'
    }
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: ROOT_CA, annotations }, data }
    yield attempt(createRequest(map, { apiVersion: 'v1', resource: 'configmaps', namespace: name }))
  } else if (!sameJson(published['data'], data) && published.metadata.deletionTimestamp === undefined) {
    yield attempt(updateRequest({ ...published, data }, 'configmaps'))
  }
}

function* empty(context: ReconcileContext, namespace: KubeObject, source: NamespaceSource): Plan<Requeue> {
  const { name } = namespace.metadata
  for (const { object, resource } of source.contents(name)) {
    if (object.metadata.deletionTimestamp !== undefined) continue
    yield attempt(deleteRequest(object, resource, { propagation: 'Background' }))
  }
  const left = source.contents(name)
  const conditions = remainderConditions(namespace, left, formatTimestamp(context.now))
  const status = namespace.status as { readonly conditions?: readonly Condition[] } | undefined
  let current = namespace
  if (left.length > 0) {
    if (!sameJson(status?.conditions, conditions)) {
      const next = { ...namespace, status: { ...status, conditions } }
      yield write(updateRequest(next, 'namespaces', 'status'))
    }
    return DONE
  }
  const finalizers = (namespace.spec as { readonly finalizers?: readonly string[] } | undefined)?.finalizers ?? []
  if (!finalizers.includes('kubernetes')) return DONE
  const rest = finalizers.filter((finalizer) => finalizer !== 'kubernetes')
  current = { ...current, spec: rest.length === 0 ? {} : { finalizers: rest } }
  yield write(updateRequest(current, 'namespaces', 'finalize'))
  return DONE
}

function remainderConditions(namespace: KubeObject, left: readonly NamespaceContent[], time: string): Condition[] {
  const before = (namespace.status as { readonly conditions?: readonly Condition[] } | undefined)?.conditions ?? []
  const counts = new Map<string, number>()
  const finalizers = new Map<string, number>()
  for (const { object, resource } of left) {
    const group = object.apiVersion.includes('/') ? `.${object.apiVersion.split('/')[0] ?? ''}` : '.'
    counts.set(`${resource}${group}`, (counts.get(`${resource}${group}`) ?? 0) + 1)
    for (const each of object.metadata.finalizers ?? []) finalizers.set(each, (finalizers.get(each) ?? 0) + 1)
  }
  const remaining = [...counts].map(([resource, count]) => `${resource} has ${count} resource instances`).toSorted()
  const blocked = [...finalizers].map(([name, count]) => `${name} in ${count} resource instances`).toSorted()
  const verdicts: readonly (readonly [string, string, string, string])[] = [
    ['NamespaceDeletionDiscoveryFailure', 'False', 'ResourcesDiscovered', 'All resources successfully discovered'],
    [
      'NamespaceDeletionGroupVersionParsingFailure',
      'False',
      'ParsedGroupVersions',
      'All legacy kube types successfully parsed'
    ],
    [
      'NamespaceDeletionContentFailure',
      'False',
      'ContentDeleted',
      'All content successfully deleted, may be waiting on finalization'
    ],
    remaining.length === 0
      ? ['NamespaceContentRemaining', 'False', 'ContentRemoved', 'All content successfully removed']
      : [
          'NamespaceContentRemaining',
          'True',
          'SomeResourcesRemain',
          `Some resources are remaining: ${remaining.join(', ')}`
        ],
    blocked.length === 0
      ? [
          'NamespaceFinalizersRemaining',
          'False',
          'ContentHasNoFinalizers',
          'All content-preserving finalizers finished'
        ]
      : [
          'NamespaceFinalizersRemaining',
          'True',
          'SomeFinalizersRemain',
          `Some content in the namespace has finalizers remaining: ${blocked.join(', ')}`
        ]
  ]
  return verdicts.map(([type, status, reason, message]) => {
    const old = before.find((condition) => condition.type === type)
    const lastTransitionTime = old?.status === status ? (old.lastTransitionTime ?? time) : time
    return { type, status, lastTransitionTime, reason, message }
  })
}
