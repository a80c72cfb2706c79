import { stringify } from 'yaml'
import type { KubeObject } from '../../../kinds/index.ts'
import { KubectlError, printedName, type ResourceKind } from './client.ts'
import type { KubectlContext, KubectlOutcome } from './context.ts'
import { renderJsonPath } from './jsonpath.ts'

/** A resource and the name of one object, or all of them. */
type Wanted = readonly [ResourceKind, string | undefined]

interface Table {
  readonly columnDefinitions: readonly { readonly name: string; readonly priority?: number }[]
  readonly rows?: readonly { readonly cells: readonly unknown[]; readonly object?: KubeObject }[]
}

/** `kubectl get`: tables as the server prints them, JSON, YAML, names, JSONPath. Watching belongs to the real kubectl. */
export function getObjects(context: KubectlContext): KubectlOutcome {
  const { client, words, options } = context
  const [first, ...names] = words
  if (first === undefined)
    throw new KubectlError("error: Required resource not specified.\nSee 'kubectl get -h' for help and examples")
  const wanted: Wanted[] = []
  if (first.includes('/')) {
    for (const word of words) {
      const slash = word.indexOf('/')
      wanted.push([client.resourceOf(word.slice(0, slash)), word.slice(slash + 1)])
    }
  } else {
    for (const name of first.split(',')) {
      const kind = client.resourceOf(name)
      if (names.length === 0) wanted.push([kind, undefined])
      else for (const one of names) wanted.push([kind, one])
    }
  }
  const output = options.values.get('output') ?? ''
  if (output === '' || output === 'wide') return printTables(context, wanted, output === 'wide')
  return printObjects(context, wanted, output)
}

function query(context: KubectlContext): Readonly<Record<string, string>> {
  const { options } = context
  const selector = options.values.get('selector')
  const fields = options.values.get('field-selector')
  return {
    ...(selector === undefined ? {} : { labelSelector: selector }),
    ...(fields === undefined ? {} : { fieldSelector: fields })
  }
}

function pathOf(context: KubectlContext, kind: ResourceKind, name: string | undefined): string {
  const everywhere = context.options.flags.has('all-namespaces')
  return context.client.path(kind, everywhere ? undefined : context.namespace, name)
}

function printTables(context: KubectlContext, wanted: readonly Wanted[], wide: boolean): KubectlOutcome {
  const { client, options } = context
  const everywhere = options.flags.has('all-namespaces')
  const sections: string[] = []
  const kinds = new Set(wanted.map(([kind]) => kind))
  for (const kind of kinds) {
    const lines: string[][] = []
    for (const [, name] of wanted.filter(([one]) => one === kind)) {
      const response = client.send({
        method: 'GET',
        path: pathOf(context, kind, name),
        query: query(context),
        headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' }
      })
      if (response.code === 404 && options.flags.has('ignore-not-found')) continue
      const table = (
        response.code >= 400 ? client.call({ method: 'GET', path: pathOf(context, kind, name) }) : response.body
      ) as Table
      if ((table.rows ?? []).length === 0) continue
      if (lines.length === 0 && !options.flags.has('no-headers')) lines.push(header(context, table, kind, wide))
      for (const row of table.rows ?? []) {
        const cells = visible(table, row.cells, wide)
        if (kinds.size > 1) cells[0] = `${printedName(kind, '')}${cells[0] ?? ''}`
        if (everywhere && kind.namespaced) cells.unshift(row.object?.metadata.namespace ?? '')
        if (options.flags.has('show-labels')) cells.push(labelText(row.object))
        lines.push(cells)
      }
    }
    if (lines.length > 0) sections.push(align(lines))
  }
  if (sections.length > 0) return { stdout: sections.join('\n') }
  if (options.flags.has('ignore-not-found')) return { stdout: '' }
  const namespaced = wanted.some(([kind]) => kind.namespaced) && !everywhere
  return { stdout: '', stderr: `No resources found${namespaced ? ` in ${context.namespace} namespace.` : ''}\n` }
}

function header({ options }: KubectlContext, table: Table, kind: ResourceKind, wide: boolean): string[] {
  const names = table.columnDefinitions.map((column) => column.name.toUpperCase())
  const cells = visible(table, names, wide)
  if (options.flags.has('all-namespaces') && kind.namespaced) cells.unshift('NAMESPACE')
  if (options.flags.has('show-labels')) cells.push('LABELS')
  return cells
}

function visible(table: Table, cells: readonly unknown[], wide: boolean): string[] {
  return cells
    .filter((_, index) => wide || (table.columnDefinitions[index]?.priority ?? 0) === 0)
    .map((cell) => (cell === null || cell === undefined || cell === '' ? '<none>' : String(cell)))
}

function labelText(object: KubeObject | undefined): string {
  const labels = Object.entries(object?.metadata.labels ?? {}).map(([name, value]) => `${name}=${value}`)
  return labels.length === 0 ? '<none>' : labels.toSorted().join(',')
}

/** Columns three spaces apart, the last one not padded, as kubectl's tab writer does. */
export function align(lines: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const line of lines) {
    for (const [index, cell] of line.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length)
  }
  const printed = lines.map((line) =>
    line.map((cell, index) => (index === line.length - 1 ? cell : cell.padEnd((widths[index] ?? 0) + 3))).join('')
  )
  return `${printed.join('\n')}\n`
}

function printObjects(context: KubectlContext, wanted: readonly Wanted[], output: string): KubectlOutcome {
  const single = wanted.length === 1 && wanted[0]?.[1] !== undefined
  const objects: KubeObject[] = []
  for (const [kind, name] of wanted) {
    const body = context.client.call({ method: 'GET', path: pathOf(context, kind, name), query: query(context) })
    if (name !== undefined) objects.push(body as KubeObject)
    else {
      const items = (body as { readonly items?: readonly KubeObject[] }).items ?? []
      const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`
      objects.push(...items.map((item) => ({ ...item, apiVersion, kind: kind.kind })))
    }
  }
  const only = objects[0]
  const root: unknown =
    single && only !== undefined
      ? withoutManagedFields(only)
      : { apiVersion: 'v1', items: objects.map(withoutManagedFields), kind: 'List', metadata: { resourceVersion: '' } }
  return { stdout: render(context, output, root, objects) }
}

/** kubectl hides managedFields unless `--show-managed-fields` is given. */
function withoutManagedFields(object: KubeObject): KubeObject {
  const { managedFields: _managedFields, ...metadata } = object.metadata
  return { ...object, metadata }
}

function render(context: KubectlContext, output: string, root: unknown, objects: readonly KubeObject[]): string {
  if (output === 'json') return `${JSON.stringify(root, null, 4)}\n`
  if (output === 'yaml')
    return stringify(root, { version: '1.1', indentSeq: false, lineWidth: 0, aliasDuplicateObjects: false })
  if (output === 'name') {
    return objects
      .map((object) => {
        const kind = context.client.resourceOfObject(object.apiVersion, object.kind)
        return `${kind === undefined ? object.metadata.name : printedName(kind, object.metadata.name)}\n`
      })
      .join('')
  }
  if (output.startsWith('jsonpath=')) return renderJsonPath(output.slice('jsonpath='.length), root)
  if (output.startsWith('custom-columns=')) return customColumns(output.slice('custom-columns='.length), objects)
  throw new KubectlError(
    `error: unable to match a printer suitable for the output format "${output}", allowed formats are: custom-columns,json,jsonpath,name,wide,yaml`
  )
}

function customColumns(spec: string, objects: readonly KubeObject[]): string {
  const columns = spec.split(',').map((column) => {
    const colon = column.indexOf(':')
    return { title: column.slice(0, colon), path: column.slice(colon + 1) }
  })
  const rows = objects.map((object) => columns.map(({ path }) => renderJsonPath(`{${path}}`, object) || '<none>'))
  return align([columns.map(({ title }) => title), ...rows])
}
