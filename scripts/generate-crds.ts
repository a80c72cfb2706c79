/**
 * Writes CustomResourceDefinitions as data, without descriptions, from their YAML manifests.
 * Usage: `node scripts/generate-crds.ts <folder with flagger.yaml, gateway-*.yaml, smi-trafficsplits.yaml>`
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** One generated file: where its content comes from. */
interface Source {
  readonly target: string
  readonly files: readonly string[]
  readonly header: { readonly source: string; readonly version: string; readonly licence: string }
}

const SOURCES: readonly Source[] = [
  {
    target: 'flagger',
    files: ['flagger.yaml'],
    header: {
      source: 'artifacts/flagger/crd.yaml of github.com/fluxcd/flagger',
      version: 'v1.44.0',
      licence: 'Apache-2.0'
    }
  },
  {
    target: 'gateway-api',
    files: [
      'gateway-gatewayclasses.yaml',
      'gateway-gateways.yaml',
      'gateway-httproutes.yaml',
      'gateway-referencegrants.yaml'
    ],
    header: { source: 'config/crd/standard of sigs.k8s.io/gateway-api', version: 'v1.5.1', licence: 'Apache-2.0' }
  },
  {
    target: 'smi',
    files: ['smi-trafficsplits.yaml'],
    header: {
      source: 'written after the SMI Traffic Split specification',
      version: 'v1alpha2',
      licence: 'none needed: own text'
    }
  }
]

function withoutDescriptions(value: Json, isPropertyTable: boolean): Json {
  if (Array.isArray(value)) return value.map((item) => withoutDescriptions(item, false))
  if (typeof value !== 'object' || value === null) return value
  const result: { [key: string]: Json } = {}
  for (const key of Object.keys(value)) {
    // A property may be named `description`; printer columns and schemas have it as text.
    if (key === 'description' && !isPropertyTable) continue
    result[key] = withoutDescriptions(value[key] ?? null, key === 'properties' && !isPropertyTable)
  }
  return result
}

/** Later versions of the SMI specification keep the form of v1alpha2 for what the twin reads; clients may ask for them by name. */
function withLaterSplitVersions(crd: Json): Json {
  if (typeof crd !== 'object' || crd === null || Array.isArray(crd)) return crd
  const spec = crd['spec']
  if (typeof spec !== 'object' || spec === null || Array.isArray(spec)) return crd
  const versions = Array.isArray(spec['versions']) ? spec['versions'] : []
  const last = versions.at(-1)
  if (typeof last !== 'object' || last === null || Array.isArray(last)) return crd
  const later = ['v1alpha3', 'v1alpha4'].map((name) => ({ ...last, name, storage: false }))
  return { ...crd, spec: { ...spec, versions: [...versions, ...later] } }
}

function main([folder]: readonly string[]): void {
  if (folder === undefined) throw new Error('Give the folder of the manifests.')
  for (const { target, files, header } of SOURCES) {
    const definitions: Json[] = []
    for (const file of files) {
      for (const document of parseAllDocuments(readFileSync(join(folder, file), 'utf8'))) {
        const value = document.toJS() as Json
        const isCrd =
          typeof value === 'object' &&
          value !== null &&
          !Array.isArray(value) &&
          value['kind'] === 'CustomResourceDefinition'
        if (isCrd) definitions.push(withoutDescriptions(value, false))
      }
    }
    if (target === 'smi') definitions.splice(0, definitions.length, ...definitions.map(withLaterSplitVersions))
    const path = new URL(`../src/kinds/crds/${target}.generated.json`, import.meta.url)
    writeFileSync(path, `${JSON.stringify({ header, definitions })}\n`)
    console.log(`${target}: ${definitions.length} definitions`)
  }
}

main(process.argv.slice(2))
