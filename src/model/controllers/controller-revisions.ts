import type { KubeObject } from '../../kinds/index.ts'
import { sameJson } from './json.ts'
import { controllerReference } from './owners.ts'
import { type Plan, type ReconcileContext, write } from './plan.ts'
import { createRequest, deleteRequest, updateRequest } from './requests.ts'
import type { DaemonSet, Pod } from './shapes.ts'

const HASH = 'controller-revision-hash'

/** apps/v1 ControllerRevision. */
interface ControllerRevision extends KubeObject {
  readonly revision: number
  readonly data: unknown
}

/** What a revision remembers of a DaemonSet: its template, as a patch that replaces it. */
function revisionData(set: DaemonSet): unknown {
  return { spec: { template: { ...set.spec.template, $patch: 'replace' } } }
}

/**
 * Sees to it that the current template has the newest revision.
 * @returns the hash that labels its pods
 * @see kubernetes/pkg/controller/daemon/update.go constructHistory, v1.36
 */
export function* currentRevision(context: ReconcileContext, set: DaemonSet, hash: string): Plan<string> {
  const history = revisionsOf(context, set)
  const data = revisionData(set)
  const newest = Math.max(0, ...history.map((each) => each.revision))
  const existing = history.find((each) => sameJson(each.data, data))
  if (existing !== undefined) {
    if (existing.revision < newest) {
      yield write(updateRequest({ ...existing, revision: newest + 1 }, 'controllerrevisions'))
    }
    return existing.metadata.labels?.[HASH] ?? hash
  }
  const revision = {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: `${set.metadata.name}-${hash}`,
      labels: { ...set.spec.template.metadata?.labels, [HASH]: hash },
      ...(set.metadata.annotations === undefined ? {} : { annotations: set.metadata.annotations }),
      ownerReferences: [controllerReference(set)]
    },
    data,
    revision: newest + 1
  }
  const place = { apiVersion: 'apps/v1', resource: 'controllerrevisions', namespace: set.metadata.namespace }
  yield write(createRequest(revision, place))
  return hash
}

/** Deletes the oldest revisions beyond the limit that no pod is of. */
export function* trimRevisions(
  context: ReconcileContext,
  set: DaemonSet,
  options: { readonly current: string; readonly limit: number; readonly pods: readonly Pod[] }
): Plan<void> {
  const live = new Set([options.current, ...options.pods.map((pod) => pod.metadata.labels?.[HASH] ?? '')])
  const history = revisionsOf(context, set).filter((each) => !live.has(each.metadata.labels?.[HASH] ?? ''))
  const excess = history.length - options.limit
  if (excess <= 0) return
  for (const each of history.toSorted((a, b) => a.revision - b.revision).slice(0, excess)) {
    yield write(deleteRequest(each, 'controllerrevisions'))
  }
}

function revisionsOf(context: ReconcileContext, set: DaemonSet): readonly ControllerRevision[] {
  const found = context.view.controlledBy('apps', 'controllerrevisions', set.metadata.uid ?? '')
  return found as readonly ControllerRevision[]
}
