import { isJsonMap } from '../../lib/apimachinery/index.ts'
import type { KubeObject } from '../../kinds/index.ts'

/**
 * A new namespace has its name as label, the finalizer `kubernetes` and the phase Active (registry/core/namespace/strategy.go).
 * @param object - candidate
 * @param existing - stored object; undefined on creation
 */
export function prepareNamespace(object: KubeObject, existing: KubeObject | undefined): KubeObject {
  const labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': object.metadata.name }
  const metadata = { ...object.metadata, labels }
  if (existing !== undefined) return { ...object, metadata }
  const spec = isJsonMap(object.spec) ? object.spec : {}
  return { ...object, metadata, spec: { ...spec, finalizers: ['kubernetes'] }, status: { phase: 'Active' } }
}
