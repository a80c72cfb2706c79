/**
 * Writes the schemas of the built-in kinds as data, without descriptions, from the OpenAPI v3 documents of a real API server.
 * Usage: `node scripts/generate-openapi.ts <folder with <group>_<version>.json> <version of the API server>`
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const TARGET = new URL('../src/model/apiserver/builtin/openapi.generated.json', import.meta.url)

/** Kinds of custom resources that happened to be installed where the documents were recorded. */
const FOREIGN = /^(api\.json|apis\.json|version\.json|apis_(flagger|gateway|split|networking\.istio|keda).*)$/

function withoutDescriptions(value: Json, isPropertyTable: boolean): Json {
  if (Array.isArray(value)) return value.map((item) => withoutDescriptions(item, false))
  if (typeof value !== 'object' || value === null) return value
  const result: { [key: string]: Json } = {}
  for (const key of Object.keys(value)) {
    if (key === 'description' && !isPropertyTable) continue
    result[key] = withoutDescriptions(value[key] ?? null, key === 'properties' && !isPropertyTable)
  }
  return result
}

function readDefinitions(folder: string): { [name: string]: Json } {
  const definitions: { [name: string]: Json } = {}
  for (const file of readdirSync(folder).toSorted()) {
    if (!file.endsWith('.json') || FOREIGN.test(file)) continue
    const document = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
      components?: { schemas?: { [name: string]: Json } }
    }
    for (const [name, schema] of Object.entries(document.components?.schemas ?? {})) {
      definitions[name] = withoutDescriptions(schema, false)
    }
  }
  return definitions
}

function main([folder, version]: readonly string[]): void {
  if (folder === undefined || version === undefined)
    throw new Error('Give the folder of the documents and the version of the API server.')
  const definitions = readDefinitions(folder)
  const sorted = Object.fromEntries(
    Object.keys(definitions)
      .toSorted()
      .map((name) => [name, definitions[name] ?? null])
  )
  const header = {
    source: 'OpenAPI v3 documents of kube-apiserver (kubernetes/kubernetes), descriptions left out',
    version,
    licence: 'Apache-2.0'
  }
  const lines = Object.entries(sorted).map(([name, schema]) => `${JSON.stringify(name)}:${JSON.stringify(schema)}`)
  writeFileSync(TARGET, `{"header":${JSON.stringify(header)},\n"definitions":{\n${lines.join(',\n')}\n}}\n`)
  console.log(`${lines.length} definitions`)
}

main(process.argv.slice(2))
