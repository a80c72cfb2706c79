import { BATCH_TABLES } from './table-batch.ts'
import { CLUSTER_TABLES } from './table-cluster.ts'
import { NETWORK_TABLES } from './table-network.ts'
import { POD_TABLE } from './table-pods.ts'
import { AGE, NAME } from './table-shared.ts'
import type { TableColumn } from './table-column.ts'
import { WORKLOAD_TABLES } from './table-workloads.ts'

/** Columns of kinds without their own: name and creation time (`rest.NewDefaultTableConvertor`). */
export const DEFAULT_TABLE: readonly TableColumn[] = [
  NAME,
  { ...AGE, name: 'Created At', type: 'date', cell: (object) => object.metadata.creationTimestamp }
]

/** Columns per `group/resource`, as pkg/printers/internalversion/printers.go (Kubernetes 1.36) has them. */
export const BUILTIN_TABLES: Readonly<Record<string, readonly TableColumn[]>> = {
  '/pods': POD_TABLE,
  ...WORKLOAD_TABLES,
  ...BATCH_TABLES,
  ...NETWORK_TABLES,
  ...CLUSTER_TABLES
}
