import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import type { JsonObject, KubeObject } from '../kinds/index.ts'
import { buildKustomization, KUSTOMIZATION_NAMES } from './kustomization.ts'
import type { Report } from './problem.ts'
import type { RawManifest } from './raw.ts'
import { type NodePath, parseSource, problemAt, sourceData, type SourceDocument } from './source.ts'
import { nearestWord } from './suggestion.ts'

/** An object of a manifest with the document it came from, for messages. */
export interface SourcedObject {
  readonly object: KubeObject
  readonly source: SourceDocument
  /** Path of the object in its document. */
  readonly path: NodePath
}

/** Where the list of manifests itself stands. */
export interface ManifestList {
  readonly source: SourceDocument
  readonly path: NodePath
}

const MANIFEST_ENDINGS = ['.yaml', '.yml', '.json']

/** Reads manifests: files, folders (as `kubectl apply -f`), kustomization folders (as `kubectl apply -k`), objects in place. */
export function readManifests(raw: readonly RawManifest[], list: ManifestList, report: Report): SourcedObject[] {
  return raw.flatMap((manifest, index) => {
    const path = [...list.path, index]
    if (typeof manifest !== 'string') return inlineObject(manifest, { source: list.source, path }, report)
    const absolute = resolve(dirname(list.source.file), manifest)
    if (!existsSync(absolute)) {
      const near = nearestWord(manifest, siblings(absolute, dirname(list.source.file)))
      report(
        problemAt(list.source, path, {
          message: `no file or folder "${manifest}"`,
          fix: near === undefined ? 'paths are relative to the scenario file' : `did you mean "${near}"?`,
          code: 'TWIN_FILE_MISSING'
        })
      )
      return []
    }
    return readPath(absolute, report)
  })
}

/** Reads one file or folder that exists. */
export function readPath(path: string, report: Report): SourcedObject[] {
  if (!statSync(path).isDirectory()) return readManifestFile(path, report)
  const names = readdirSync(path).toSorted()
  const kustomization = names.find((name) => KUSTOMIZATION_NAMES.includes(name))
  if (kustomization !== undefined) {
    return buildKustomization(join(path, kustomization), { readPath, report })
  }
  return names
    .filter((name) => MANIFEST_ENDINGS.some((ending) => name.endsWith(ending)))
    .flatMap((name) => readManifestFile(join(path, name), report))
}

/** Objects of a manifest file; documents of `twin/*` are left out, lists are taken apart. */
function readManifestFile(path: string, report: Report): SourcedObject[] {
  const outcome = parseSource(displayPath(path), readFileSync(path, 'utf8'), '1.1')
  for (const problem of outcome.problems) report(problem)
  return outcome.documents.flatMap((source) => {
    const data = sourceData(source)
    if (data === null || data === undefined) return []
    if (typeof data === 'object' && 'apiVersion' in data && String(data.apiVersion).startsWith('twin/')) return []
    return inlineObject(data, { source, path: [] }, report)
  })
}

function inlineObject(data: unknown, list: ManifestList, report: Report): SourcedObject[] {
  if (isList(data)) {
    return data.items.flatMap((item, index) =>
      inlineObject(item, { source: list.source, path: [...list.path, 'items', index] }, report)
    )
  }
  if (isKubeObject(data)) return [{ object: data, source: list.source, path: list.path }]
  report(
    problemAt(list.source, list.path, {
      message: 'not a Kubernetes object',
      fix: 'it needs apiVersion, kind and metadata.name'
    })
  )
  return []
}

function isList(data: unknown): data is { items: unknown[] } {
  return (
    isObject(data) && typeof data['kind'] === 'string' && data['kind'].endsWith('List') && Array.isArray(data['items'])
  )
}

function isKubeObject(data: unknown): data is KubeObject {
  if (!isObject(data) || typeof data['apiVersion'] !== 'string' || typeof data['kind'] !== 'string') return false
  const metadata = data['metadata']
  return isObject(metadata) && typeof metadata['name'] === 'string'
}

function isObject(data: unknown): data is JsonObject {
  return typeof data === 'object' && data !== null && !Array.isArray(data)
}

/** A path as messages show it: relative to the working folder when that is shorter. */
export function displayPath(path: string): string {
  const short = relative(process.cwd(), path)
  return short === '' || short.startsWith('..') ? path : short
}

function siblings(path: string, base: string): string[] {
  const folder = dirname(path)
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return []
  return readdirSync(folder, { withFileTypes: true }).map((entry) => {
    const name = relative(base, join(folder, entry.name))
    return entry.isDirectory() ? `${name}/` : name
  })
}
