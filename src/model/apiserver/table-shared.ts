import { ageOf, fieldsOf, recordsOf, selectorText, textOf, type TableColumn } from './table-column.ts'
import type { KubeObject } from '../../kinds/index.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

/** Name of the object. */
export const NAME: TableColumn = {
  name: 'Name',
  format: 'name',
  description: [META, 'name'],
  cell: (object) => object.metadata.name
}

/** Time since creation. */
export const AGE: TableColumn = {
  name: 'Age',
  description: [META, 'creationTimestamp'],
  cell: (object, now) => ageOf(object.metadata.creationTimestamp, now)
}

/** Members of `spec`. */
export function specOf(object: KubeObject): Record<string, unknown> {
  return fieldsOf(object.spec)
}

/** Members of `status`. */
export function statusOf(object: KubeObject): Record<string, unknown> {
  return fieldsOf(object.status)
}

/** Pod spec of a workload's template. */
export function templateSpec(object: KubeObject): Record<string, unknown> {
  return fieldsOf(fieldsOf(specOf(object)['template'])['spec'])
}

/** Names, images and selector of a workload, shown with `-o wide`. */
export function wideColumns(
  podSpec: (object: KubeObject) => Record<string, unknown>,
  selectorDescription: string
): TableColumn[] {
  return [
    {
      name: 'Containers',
      priority: 1,
      description: 'Names of each container in the template.',
      cell: (object) => joined(podSpec(object), 'name')
    },
    {
      name: 'Images',
      priority: 1,
      description: 'Images referenced by each container in the template.',
      cell: (object) => joined(podSpec(object), 'image')
    },
    {
      name: 'Selector',
      priority: 1,
      description: selectorDescription === '' ? '' : ([selectorDescription, 'selector'] as const),
      cell: (object) => selectorText(specOf(object)['selector'])
    }
  ]
}

function joined(podSpec: Record<string, unknown>, field: string): string {
  return recordsOf(podSpec['containers'])
    .map((container) => textOf(container[field]))
    .join(',')
}
