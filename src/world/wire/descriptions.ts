import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { ENUM_VALUES, REFERENCE_FIELDS } from './reference-fields.data.ts'

/** Documentation of a definition, or of one of its fields. */
export type Describe = (definition: string, field?: string) => string | undefined

/**
 * Reads the documentation of API fields from the models of @kubernetes/client-node (Apache-2.0), so that tables and
 * `kubectl explain` can show it. They are declarations, read as text when first asked for; nothing of the client is run.
 */
export function readDescriptions(): Describe {
  let folder: string | undefined | null = null
  let files: ReadonlySet<string> = new Set()
  const known = new Map<string, ReadonlyMap<string, string>>()
  return (definition, field = '') => {
    if (folder === null) {
      folder = modelsFolder()
      files = new Set(folder === undefined ? [] : readdirSync(folder))
    }
    if (folder === undefined) return undefined
    let model = known.get(definition)
    if (model === undefined) {
      const file = fileNames(definition).find((name) => files.has(name))
      model = file === undefined ? new Map() : parseModel(readFileSync(join(folder, file), 'utf8'))
      known.set(definition, model)
    }
    const key = `${definition.replace(/^io\.k8s\.api\./, '')}.${field}`
    const text = REFERENCE_FIELDS[key] ?? model.get(field)
    const values = ENUM_VALUES[key]
    return values === undefined || text === undefined ? text : `${text}\n\n${values}`
  }
}

function modelsFolder(): string | undefined {
  const entry = createRequire(import.meta.url).resolve('@kubernetes/client-node')
  const folder = join(dirname(entry), 'gen', 'models')
  return existsSync(folder) ? folder : undefined
}

/** `io.k8s.api.apps.v1.Deployment` is in `V1Deployment.d.ts`; names that exist in two groups carry the group. */
function fileNames(definition: string): string[] {
  const parts = definition.split('.')
  const kind = parts.at(-1) ?? ''
  const version = capital(parts.at(-2) ?? '')
  const group = capital(parts.at(-3) ?? '')
  return [`${group}${version}${kind}.d.ts`, `${version}${kind}.d.ts`]
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

const FIELD = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(?:export declare class (\w+)|'([^']+)'\??:)/g

/** Comments of the class (key `''`) and of its fields. */
function parseModel(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const [, comment = '', , field = ''] of text.matchAll(FIELD)) found.set(field, commentText(comment))
  return found
}

function commentText(comment: string): string {
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\*\s?/, ''))
  return (
    lines
      .join('\n')
      .trim()
      .replaceAll(String.raw`\"`, '"')
      .replaceAll(String.raw`\'`, "'")
      .replaceAll(String.raw`\\`, '\\')
      // The models have lost line breaks: an empty line has become two blanks.
      .replaceAll(/(?<=\S) {2}(?=\S)/g, '\n\n')
  )
}
