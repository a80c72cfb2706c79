import { isJsonMap, type CompiledCrdVersion, type PrinterColumn } from '../../lib/apimachinery/index.ts'
import type { KubeObject } from '../../kinds/index.ts'
import { evaluateJsonPath } from './json-path.ts'
import { ageOf, type TableColumn } from './table-column.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

const NAME_COLUMN: TableColumn = {
  name: 'Name',
  format: 'name',
  description: [META, 'name'],
  cell: (object) => object.metadata.name
}

const COLUMNS = new WeakMap<CompiledCrdVersion, readonly TableColumn[]>()

/**
 * The columns of a custom resource: its name and the printer columns of its definition (apiextensions `tableconvertor`).
 * @param version - compiled version
 */
export function customColumns(version: CompiledCrdVersion): readonly TableColumn[] {
  const known = COLUMNS.get(version)
  if (known !== undefined) return known
  const columns = [NAME_COLUMN, ...version.printerColumns.map(fromPrinterColumn)]
  COLUMNS.set(version, columns)
  return columns
}

function fromPrinterColumn(column: PrinterColumn): TableColumn {
  return {
    name: column.name,
    type: column.type,
    format: column.format ?? '',
    priority: column.priority,
    description: column.description ?? `Custom resource definition column (in JSONPath format): ${column.jsonPath}`,
    cell: (object, now) => cellValue(object, column, now)
  }
}

function cellValue(object: KubeObject, column: PrinterColumn, now: number): unknown {
  const values = evaluateJsonPath(object, column.jsonPath)
  const [first] = values
  if (first === undefined || first === null) return null
  switch (column.type) {
    case 'integer':
      return typeof first === 'number' ? Math.trunc(first) : integerOf(first)
    case 'number':
      return typeof first === 'number' ? first : null
    case 'boolean':
      return typeof first === 'boolean' ? first : null
    case 'date':
      return typeof first === 'string' && Number.isNaN(Date.parse(first)) ? '<invalid>' : ageOf(first, now)
    default:
      return cellText([first], column.type)
  }
}

function integerOf(value: unknown): number | null {
  return typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : null
}

function cellText(values: readonly unknown[], type: string): unknown {
  if (type !== 'string') return null
  return values
    .map((value) => (isJsonMap(value) || Array.isArray(value) ? JSON.stringify(value) : String(value)))
    .join(',')
}
