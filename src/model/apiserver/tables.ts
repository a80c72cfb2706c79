import { badRequestStatus, goQuote } from '../../lib/apimachinery/index.ts'
import type { KubeObject } from '../../kinds/index.ts'
import type { ResourceCall } from './core.ts'
import { customColumns } from './custom-columns.ts'
import { refuse } from './refusal.ts'
import { BUILTIN_TABLES, DEFAULT_TABLE } from './table-kinds.ts'
import type { TableColumn } from './table-column.ts'

const INCLUDE_CHOICES: ReadonlySet<string> = new Set(['', 'Metadata', 'Object', 'None'])

/**
 * Checks the `includeObject` parameter of a table request.
 * @param include - query parameter
 */
export function checkIncludeObject(include: string | undefined): void {
  if (include === undefined || INCLUDE_CHOICES.has(include)) return
  const what = `includeObject: Invalid value: ${goQuote(include)}: must be 'Metadata', 'Object', 'None', or empty`
  refuse(badRequestStatus(`Unable to convert to Table as requested: ${what}`))
}

/**
 * A meta.k8s.io Table of objects, as `kubectl get` prints it.
 * @param call - the request
 * @param version - of meta.k8s.io
 * @param objects - of the served version
 * @param metadata - list metadata
 */
export function buildTable(
  call: ResourceCall,
  version: string,
  objects: readonly KubeObject[],
  metadata: Readonly<Record<string, unknown>>
): Record<string, unknown> {
  const columns = columnsOf(call)
  const now = call.core.clock.now()
  const include = call.query['includeObject'] ?? 'Metadata'
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${version}`,
    metadata,
    columnDefinitions: columns.map((column) => columnDefinition(call, column)),
    rows: objects.map((object) => ({
      cells: columns.map((column) => column.cell(object, now)),
      object: rowObject(object, include, version)
    }))
  }
}

function columnsOf(call: ResourceCall): readonly TableColumn[] {
  const { info } = call
  if (info.crd !== undefined) return customColumns(info.crd)
  return BUILTIN_TABLES[`${info.group}/${info.resource}`] ?? DEFAULT_TABLE
}

function columnDefinition(call: ResourceCall, column: TableColumn): Record<string, unknown> {
  const { name, type = 'string', format = '', priority = 0, description } = column
  const found =
    typeof description === 'string'
      ? description
      : description === undefined
        ? ''
        : (call.core.descriptions?.(...description) ?? '')
  return { name, type, format, description: found, priority }
}

function rowObject(object: KubeObject, include: string, version: string): unknown {
  if (include === 'None') return null
  if (include === 'Object') return object
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata }
}
