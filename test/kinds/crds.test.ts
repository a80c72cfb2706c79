import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { ALL_CRDS, CRD_SOURCES, FLAGGER_CRDS, GATEWAY_API_CRDS, SMI_CRDS } from '../../src/kinds/crds/index.ts'

const shared = process.env['TWIN_SHARED'] ?? join(import.meta.dirname, '../../../shared')
const folder = join(shared, 'conformance/crds')

function withoutDescriptions(value: unknown, isPropertyTable = false): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutDescriptions(item))
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([key]) => key !== 'description' || isPropertyTable)
  return Object.fromEntries(
    kept.map(([key, item]) => [key, withoutDescriptions(item, key === 'properties' && !isPropertyTable)])
  )
}

function manifests(file: string): unknown[] {
  const documents = parseAllDocuments(readFileSync(join(folder, file), 'utf8')).map(
    (document) => document.toJS() as unknown
  )
  return documents.filter((value) => value !== null).map((value) => withoutDescriptions(value))
}

describe('generated definitions', () => {
  test('name the resources of each project', () => {
    const names = ALL_CRDS.map((crd) => crd.metadata.name)
    expect(names).toEqual([
      'canaries.flagger.app',
      'metrictemplates.flagger.app',
      'alertproviders.flagger.app',
      'gatewayclasses.gateway.networking.k8s.io',
      'gateways.gateway.networking.k8s.io',
      'httproutes.gateway.networking.k8s.io',
      'referencegrants.gateway.networking.k8s.io',
      'trafficsplits.split.smi-spec.io'
    ])
    expect(CRD_SOURCES.flagger.version).toBe('v1.44.0')
  })

  test('are frozen and free of descriptions', () => {
    expect(Object.isFrozen(ALL_CRDS[0]?.spec)).toBe(true)
    expect(JSON.stringify(FLAGGER_CRDS)).not.toContain('"description":"')
  })

  test.skipIf(!existsSync(folder))(
    `equal the published manifests (skipped without ${folder}: 8 definitions unchecked)`,
    () => {
      expect(FLAGGER_CRDS).toEqual(manifests('flagger.yaml'))
      const gateway = ['gatewayclasses', 'gateways', 'httproutes', 'referencegrants']
      expect(GATEWAY_API_CRDS).toEqual(gateway.flatMap((name) => manifests(`gateway-${name}.yaml`)))
      const [split] = manifests('smi-trafficsplits.yaml') as { spec: { versions: unknown[] } }[]
      const own = SMI_CRDS[0]?.spec as { versions: unknown[] } | undefined
      expect(own?.versions.slice(0, 2)).toEqual(split?.spec.versions)
    }
  )
})
