import type { OpenApiSchema, SchemaDefinitions } from '../../../lib/apimachinery/index.ts'
import data from './openapi.generated.json' with { type: 'json' }

/** Schemas of the built-in kinds by definition name, as kube-apiserver 1.36.3 publishes them, without descriptions. */
export const BUILTIN_DEFINITIONS: SchemaDefinitions = data.definitions

const BY_KIND: ReadonlyMap<string, string> = indexByKind()

function indexByKind(): Map<string, string> {
  const index = new Map<string, string>()
  for (const [name, schema] of Object.entries(BUILTIN_DEFINITIONS)) {
    const kinds = schema['x-kubernetes-group-version-kind'] ?? []
    // DeleteOptions, WatchEvent and Status carry one entry per group: the definition itself belongs to meta.
    for (const { group, version, kind } of kinds) index.set(`${group}/${version}/${kind}`, name)
  }
  return index
}

/**
 * Name of the definition of a kind, e.g. `io.k8s.api.apps.v1.Deployment`.
 * @param group - `''` for core
 * @param version - e.g. `v1`
 * @param kind - e.g. `Deployment`
 */
export function builtinDefinitionName(group: string, version: string, kind: string): string | undefined {
  return BY_KIND.get(`${group}/${version}/${kind}`)
}

/**
 * Schema of a kind; references inside are names of {@link BUILTIN_DEFINITIONS}.
 * @param group - `''` for core
 * @param version - e.g. `v1`
 * @param kind - e.g. `Deployment`
 */
export function builtinSchema(group: string, version: string, kind: string): OpenApiSchema | undefined {
  const name = builtinDefinitionName(group, version, kind)
  return name === undefined ? undefined : BUILTIN_DEFINITIONS[name]
}
