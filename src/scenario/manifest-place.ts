import { readFileSync } from 'node:fs'
import type { KubeObject, Place } from '../kinds/index.ts'
import type { SourcedObject } from './manifests.ts'
import { formatProblem } from './problem.ts'
import { locate, type NodePath, parseSource, problemAt, type SourceDocument } from './source.ts'

/** Where an object of the manifests stands. Plain data, so that it can be sent to a worker. */
export interface ManifestPlace {
  /** `Canary test/podinfo`, as errors name it. */
  readonly object: string
  readonly place: Place
  /** Path of the object in its document. */
  readonly path: NodePath
}

/** `Canary test/podinfo`. */
export function objectLabel(object: KubeObject): string {
  const { namespace, name } = object.metadata
  return `${object.kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`
}

/** Where an object stands. */
export function manifestPlace(entry: SourcedObject): ManifestPlace {
  const { object, source, path } = entry
  return { object: objectLabel(object), place: locate(source, path).place, path }
}

/**
 * What the API said about an object, shown on the user's own text: the place of the field it names, or of the object.
 * @param reason - the API's words, e.g. `… unknown field "spec.analysis.mirorr"` or `… is invalid: spec.replicas: …`
 */
export function refusalText(at: ManifestPlace, reason: string): string {
  const source = documentAt(at.place)
  if (source === undefined) return `${at.place.file}:${at.place.line}:${at.place.column}: ${reason}`
  const field = [...at.path, ...fieldNamed(reason)]
  const key = /unknown field "/.test(reason) ? String(field.at(-1)) : undefined
  const path = key === undefined ? field : field.slice(0, -1)
  return formatProblem(problemAt(source, path, { message: reason, ...(key === undefined ? {} : { key }) }))
}

/** The document that holds a place; undefined when the file has changed meanwhile. */
function documentAt(place: Place): SourceDocument | undefined {
  const { documents } = parseSource(place.file, readFileSync(place.file, 'utf8'), '1.1')
  return documents.findLast((source) => {
    const start = source.document.contents?.range?.[0]
    return start !== undefined && source.lines.linePos(start).line <= place.line
  })
}

const FIELD = String.raw`((?:metadata|spec|data|webhooks|rules)[\w.[\]/"-]*)`

/** The first field that a refusal names, as a path. */
function fieldNamed(reason: string): NodePath {
  const pattern = new RegExp(
    String.raw`unknown field "${FIELD}"|(?:is invalid: |; |^)${FIELD}:|struct field \w+\.${FIELD}`
  )
  const match = pattern.exec(reason)
  const field = match?.slice(1).find((group) => group !== undefined) ?? ''
  return [...field.matchAll(/[^.[\]"]+/g)].map(([word]) => (/^\d+$/.test(word) ? Number(word) : word))
}
