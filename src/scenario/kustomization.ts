import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { applyJsonPatch, applyStrategicMergePatch, type OpenApiSchema } from '../lib/apimachinery/index.ts'
import type { KubeObject } from '../kinds/index.ts'
import type { SourcedObject } from './manifests.ts'
import type { Report } from './problem.ts'
import { parseSource, problemAt, sourceData, type SourceDocument } from './source.ts'
import { suggest } from './suggestion.ts'

/** Names under which kustomize looks for its file. */
export const KUSTOMIZATION_NAMES: readonly string[] = ['kustomization.yaml', 'kustomization.yml', 'Kustomization']

/** What a kustomization is built with. */
export interface KustomizationContext {
  readonly readPath: (path: string, report: Report) => SourcedObject[]
  readonly report: Report
}

/** The fields of a kustomization that are built; any other is refused by name. */
const FIELDS: readonly string[] = [
  'apiVersion',
  'kind',
  'metadata',
  'resources',
  'bases',
  'namespace',
  'commonLabels',
  'commonAnnotations',
  'images',
  'replicas',
  'patches',
  'patchesStrategicMerge',
  'patchesJson6902'
]

/** Kinds without a namespace among those a rollout brings. */
const CLUSTER_KINDS: ReadonlySet<string> = new Set([
  'Namespace',
  'ClusterRole',
  'ClusterRoleBinding',
  'CustomResourceDefinition',
  'GatewayClass',
  'StorageClass',
  'PersistentVolume',
  'PriorityClass'
])

type Fields = Readonly<Record<string, unknown>>

/** Builds a kustomization folder as `kubectl kustomize` does, as far as {@link FIELDS} go. */
export function buildKustomization(file: string, context: KustomizationContext): SourcedObject[] {
  const outcome = parseSource(file, readFileSync(file, 'utf8'), '1.1')
  for (const problem of outcome.problems) context.report(problem)
  const source = outcome.documents[0]
  if (source === undefined) return []
  const fields = asFields(sourceData(source))
  for (const key of Object.keys(fields).filter((name) => !FIELDS.includes(name))) {
    const fix = suggest(key, FIELDS) ?? 'write the objects out'
    context.report(problemAt(source, [], { message: `kustomization field "${key}" is not built here`, fix, key }))
  }
  let objects = readResources(source, fields, context)
  objects = objects.map((entry) => ({ ...entry, object: transform(entry.object, fields) }))
  for (const patch of readPatches(source, fields, context)) objects = objects.map((entry) => patch(entry))
  return objects
}

function readResources(source: SourceDocument, fields: Fields, context: KustomizationContext): SourcedObject[] {
  const objects: SourcedObject[] = []
  for (const key of ['resources', 'bases']) {
    for (const [index, name] of asList(fields[key]).entries()) {
      const path = join(dirname(source.file), String(name))
      if (existsSync(path)) objects.push(...context.readPath(path, context.report))
      else {
        const message = `no file or folder "${String(name)}"`
        context.report(
          problemAt(source, [key, index], {
            message,
            fix: 'remote resources are not loaded; keep a copy beside it',
            code: 'TWIN_FILE_MISSING'
          })
        )
      }
    }
  }
  return objects
}

function transform(object: KubeObject, fields: Fields): KubeObject {
  let result = structuredClone(object)
  const namespace = fields['namespace']
  if (typeof namespace === 'string' && !CLUSTER_KINDS.has(result.kind)) result.metadata.namespace = namespace
  const labels = asTexts(fields['commonLabels'])
  if (Object.keys(labels).length > 0) result = withLabels(result, labels)
  const annotations = asTexts(fields['commonAnnotations'])
  if (Object.keys(annotations).length > 0) {
    result.metadata.annotations = { ...result.metadata.annotations, ...annotations }
  }
  for (const image of asList(fields['images'])) renameImages(result, asTexts(image))
  for (const entry of asList(fields['replicas']).map(asFields)) {
    if (entry['name'] === result.metadata.name && ['Deployment', 'ReplicaSet', 'StatefulSet'].includes(result.kind)) {
      result.spec = { ...asFields(result.spec), replicas: entry['count'] }
    }
  }
  return result
}

/** Common labels go to the object, its selector and its pod template, as kustomize's own transformer does. */
function withLabels(object: KubeObject, labels: Readonly<Record<string, string>>): KubeObject {
  object.metadata.labels = { ...object.metadata.labels, ...labels }
  const spec = object.spec as Record<string, unknown> | undefined
  if (spec === undefined) return object
  if (object.kind === 'Service') spec['selector'] = { ...asTexts(spec['selector']), ...labels }
  const template = spec['template'] as { metadata?: Record<string, unknown> } | undefined
  if (template !== undefined && spec['selector'] !== undefined) {
    const selector = asFields(spec['selector'])
    spec['selector'] = { ...selector, matchLabels: { ...asTexts(selector['matchLabels']), ...labels } }
    template.metadata = { ...template.metadata, labels: { ...asTexts(template.metadata?.['labels']), ...labels } }
  }
  return object
}

function renameImages(object: KubeObject, change: Readonly<Record<string, string>>): void {
  const template = asFields(asFields(object.spec)['template'])
  const podSpec = object.kind === 'Pod' ? asFields(object.spec) : asFields(template['spec'])
  for (const list of ['initContainers', 'containers']) {
    for (const container of asList(podSpec[list])) {
      const target = container as { image?: string }
      const [name, tag] = splitImage(target.image ?? '')
      if (name !== change['name']) continue
      const suffix = change['digest'] === undefined ? (change['newTag'] ?? tag) : undefined
      target.image = `${change['newName'] ?? name}${suffix === undefined ? '' : `:${suffix}`}${change['digest'] === undefined ? '' : `@${change['digest']}`}`
    }
  }
}

function splitImage(image: string): [string, string | undefined] {
  const match = /^(.*?)(?::([^:/@]+))?(?:@.*)?$/.exec(image)
  return [match?.[1] ?? image, match?.[2]]
}

type Patch = (entry: SourcedObject) => SourcedObject

function readPatches(source: SourceDocument, fields: Fields, context: KustomizationContext): Patch[] {
  const entries: { path: (string | number)[]; target: Fields | undefined; text: unknown }[] = []
  for (const [index, value] of asList(fields['patchesStrategicMerge']).entries()) {
    entries.push({ path: ['patchesStrategicMerge', index], target: undefined, text: value })
  }
  for (const key of ['patches', 'patchesJson6902']) {
    for (const [index, value] of asList(fields[key]).entries()) {
      const entry = asFields(value)
      const target = entry['target'] === undefined ? undefined : asFields(entry['target'])
      entries.push({ path: [key, index], target, text: entry['patch'] ?? entry['path'] })
    }
  }
  return entries.flatMap(({ path, target, text }) => readPatch(source, { path, target, text }, context))
}

function readPatch(
  source: SourceDocument,
  entry: { path: (string | number)[]; target: Fields | undefined; text: unknown },
  context: KustomizationContext
): Patch[] {
  const text = typeof entry.text === 'string' ? entry.text : ''
  const file = join(dirname(source.file), text)
  const inline = text.includes('\n') || text.includes(':')
  if (!inline && !existsSync(file)) {
    context.report(problemAt(source, entry.path, { message: `no file "${text}"`, code: 'TWIN_FILE_MISSING' }))
    return []
  }
  const outcome = parseSource(inline ? source.file : file, inline ? text : readFileSync(file, 'utf8'), '1.1')
  for (const problem of outcome.problems) context.report(problem)
  return outcome.documents.map(sourceData).map((data) => {
    return (candidate) =>
      applyPatch(candidate, { data, target: entry.target }, (message) =>
        context.report(problemAt(source, entry.path, { message }))
      )
  })
}

function applyPatch(
  candidate: SourcedObject,
  patch: { data: unknown; target: Fields | undefined },
  fail: (message: string) => void
): SourcedObject {
  const own = Array.isArray(patch.data)
    ? {}
    : { kind: asFields(patch.data)['kind'], name: asFields(asFields(patch.data)['metadata'])['name'] }
  const target = patch.target ?? own
  const { object } = candidate
  if (!(target['kind'] === undefined || target['kind'] === object.kind)) return candidate
  if (!(target['name'] === undefined || target['name'] === object.metadata.name)) return candidate
  const outcome = Array.isArray(patch.data)
    ? applyJsonPatch(object, patch.data)
    : applyStrategicMergePatch(object, patch.data, WORKLOAD_SCHEMA)
  if (!outcome.ok) {
    fail(outcome.message)
    return candidate
  }
  return { ...candidate, object: outcome.value as KubeObject }
}

const byName = (properties: Readonly<Record<string, OpenApiSchema>> = {}, key = 'name'): OpenApiSchema => ({
  type: 'array',
  'x-kubernetes-patch-merge-key': key,
  'x-kubernetes-patch-strategy': 'merge',
  items: { type: 'object', properties }
})

const CONTAINERS: OpenApiSchema = byName({
  env: byName(),
  ports: byName({}, 'containerPort'),
  volumeMounts: byName({}, 'mountPath')
})

const POD_SPEC: OpenApiSchema = {
  type: 'object',
  properties: { containers: CONTAINERS, initContainers: CONTAINERS, volumes: byName(), imagePullSecrets: byName() }
}

/** Merge keys of the lists people patch in workloads and Services (Kubernetes OpenAPI 1.36). */
const WORKLOAD_SCHEMA: OpenApiSchema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: { template: { type: 'object', properties: { spec: POD_SPEC } }, ports: byName({}, 'port') }
    }
  }
}

function asFields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}

function asTexts(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(asFields(value)).map(([key, text]) => [key, String(text)]))
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
