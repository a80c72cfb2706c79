import type { KubeObject } from '../../kinds/index.ts'
import { keptOfFrozen } from '../../lib/memory/index.ts'
import type { AppContainer } from '../../model/app/index.ts'
import type { ObjectReader } from '../../model/mesh/index.ts'

type Json = Readonly<Record<string, unknown>>

const record = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
const recordsOf = keptOfFrozen((items: readonly unknown[]): readonly Json[] => items.map(record))
const list = (value: unknown): readonly Json[] => (Array.isArray(value) ? recordsOf(value) : [])
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/** The containers of a pod, in order; init containers that keep running are not among them. */
export function containersOf(pod: KubeObject): readonly Json[] {
  return list(record(pod.spec)['containers'])
}

/** `namespace/name` of a pod. */
export function podKeyOf(pod: KubeObject): string {
  return `${pod.metadata.namespace ?? 'default'}/${pod.metadata.name}`
}

/**
 * A pod's container as its process sees it: command, environment (values, field references, ConfigMaps, Secrets) and
 * mounted files (ConfigMaps, Secrets).
 */
export function readContainer(pod: KubeObject, container: Json, reader: ObjectReader): AppContainer {
  return {
    name: text(container['name']) ?? '',
    image: text(container['image']) ?? '',
    command: strings(container['command']),
    args: strings(container['args']),
    env: environment(pod, container, reader),
    hostname: pod.metadata.name,
    namespace: pod.metadata.namespace ?? 'default',
    files: mountedFiles(pod, container, reader),
    containerPorts: list(container['ports']).flatMap((port) =>
      typeof port['containerPort'] === 'number' ? [port['containerPort']] : []
    )
  }
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : []
}

function environment(pod: KubeObject, container: Json, reader: ObjectReader): readonly (readonly [string, string])[] {
  const variables = new Map<string, string>([
    ['PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    ['HOSTNAME', pod.metadata.name]
  ])
  for (const source of list(container['envFrom'])) {
    const prefix = text(source['prefix']) ?? ''
    const data = dataOf(pod, reader, record(source['configMapRef']), record(source['secretRef']))
    for (const [name, value] of Object.entries(data)) variables.set(prefix + name, value)
  }
  for (const entry of list(container['env'])) {
    const name = text(entry['name']) ?? ''
    const from = record(entry['valueFrom'])
    const value = text(entry['value']) ?? valueFrom(pod, from, reader)
    // A later variable may name an earlier one.
    variables.set(
      name,
      value.replace(/\$\(([A-Za-z_]\w*)\)/g, (whole, other: string) => variables.get(other) ?? whole)
    )
  }
  variables.set('KUBERNETES_SERVICE_HOST', '10.96.0.1')
  variables.set('KUBERNETES_SERVICE_PORT', '443')
  return [...variables]
}

function valueFrom(pod: KubeObject, from: Json, reader: ObjectReader): string {
  const field = text(record(from['fieldRef'])['fieldPath'])
  if (field !== undefined) return fieldValue(pod, field)
  const configMap = record(from['configMapKeyRef'])
  const secret = record(from['secretKeyRef'])
  const key = text(configMap['key']) ?? text(secret['key'])
  return key === undefined ? '' : (dataOf(pod, reader, configMap, secret)[key] ?? '')
}

function fieldValue(pod: KubeObject, path: string): string {
  const labelled = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path)
  if (labelled !== null)
    return pod.metadata[labelled[1] === 'labels' ? 'labels' : 'annotations']?.[labelled[2] ?? ''] ?? ''
  let value: unknown = pod
  for (const part of path.split('.')) value = record(value)[part]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

function dataOf(
  pod: KubeObject,
  reader: ObjectReader,
  configMap: Json,
  secret: Json
): Readonly<Record<string, string>> {
  const namespace = pod.metadata.namespace
  const configName = text(configMap['name'])
  if (configName !== undefined) {
    return textData(record(reader.get('', 'configmaps', namespace, configName)?.['data']), false)
  }
  const secretName = text(secret['name']) ?? text(secret['secretName'])
  if (secretName === undefined) return {}
  return textData(record(reader.get('', 'secrets', namespace, secretName)?.['data']), true)
}

function textData(data: Json, encoded: boolean): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [
      key,
      encoded ? Buffer.from(String(value), 'base64').toString() : String(value)
    ])
  )
}

function mountedFiles(pod: KubeObject, container: Json, reader: ObjectReader): Readonly<Record<string, string>> {
  const volumes = list(record(pod.spec)['volumes'])
  const files: Record<string, string> = {}
  for (const mount of list(container['volumeMounts'])) {
    const volume = volumes.find((candidate) => candidate['name'] === mount['name'])
    if (volume === undefined) continue
    const source =
      Object.keys(record(volume['configMap'])).length > 0 ? record(volume['configMap']) : record(volume['secret'])
    const data = dataOf(pod, reader, record(volume['configMap']), record(volume['secret']))
    const items = list(source['items'])
    const named =
      items.length === 0
        ? Object.entries(data)
        : items.map((item): [string, string] => [text(item['path']) ?? '', data[text(item['key']) ?? ''] ?? ''])
    const path = (text(mount['mountPath']) ?? '').replace(/\/+$/, '')
    const subPath = text(mount['subPath'])
    for (const [name, content] of named) {
      if (subPath === undefined) files[`${path}/${name}`] = content
      else if (subPath === name) files[path] = content
    }
  }
  return files
}
