import type { KubeObject } from '../../../src/kinds/index.ts'

/** Plural names of kinds that do not follow the rule (lower case plus `s`). */
const PLURALS: Readonly<Record<string, string>> = {
  Ingress: 'ingresses',
  NetworkPolicy: 'networkpolicies',
  HTTPProxy: 'httpproxies',
  HTTPRoute: 'httproutes',
  Canary: 'canaries'
}

/** Kinds without namespace. */
const CLUSTER_SCOPED = new Set(['Namespace', 'Node', 'TrafficRoute', 'CustomResourceDefinition'])

/** Group, version and plural of a kind. */
export function resourceOf(apiVersion: string, kind: string): { group: string; version: string; plural: string } {
  const [first = '', second] = apiVersion.split('/')
  const plural = PLURALS[kind] ?? `${kind.toLowerCase()}s`
  return second === undefined ? { group: '', version: first, plural } : { group: first, version: second, plural }
}

/** API path of an object (with name) or of its collection. */
export function kindPath(apiVersion: string, kind: string, namespace: string, name?: string): string {
  const { group, version, plural } = resourceOf(apiVersion, kind)
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const scope = CLUSTER_SCOPED.has(kind) ? '' : `/namespaces/${namespace}`
  return `${root}${scope}/${plural}${name === undefined ? '' : `/${name}`}`
}

interface Plain {
  readonly group: string
  readonly kind: string
  readonly plural: string
  readonly versions: readonly string[]
  readonly cluster?: boolean
}

/** Kinds that the recorded world serves without schema (FORMAT.md section 7). */
const PLAIN_KINDS: readonly Plain[] = [
  {
    group: 'split.smi-spec.io',
    kind: 'TrafficSplit',
    plural: 'trafficsplits',
    versions: ['v1alpha1', 'v1alpha2', 'v1alpha3']
  },
  { group: 'networking.istio.io', kind: 'VirtualService', plural: 'virtualservices', versions: ['v1beta1'] },
  { group: 'networking.istio.io', kind: 'DestinationRule', plural: 'destinationrules', versions: ['v1beta1'] },
  { group: 'keda.sh', kind: 'ScaledObject', plural: 'scaledobjects', versions: ['v1alpha1'] },
  { group: 'projectcontour.io', kind: 'HTTPProxy', plural: 'httpproxies', versions: ['v1'] },
  { group: 'gateway.solo.io', kind: 'RouteTable', plural: 'routetables', versions: ['v1'] },
  { group: 'gloo.solo.io', kind: 'Upstream', plural: 'upstreams', versions: ['v1'] },
  { group: 'kuma.io', kind: 'TrafficRoute', plural: 'trafficroutes', versions: ['v1alpha1'], cluster: true },
  { group: 'traefik.io', kind: 'TraefikService', plural: 'traefikservices', versions: ['v1alpha1'] }
]

/** Definitions of those kinds. */
export const PLAIN_CRDS: readonly KubeObject[] = PLAIN_KINDS.map(({ group, kind, plural, versions, cluster }) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.${group}` },
  spec: {
    group,
    scope: cluster === true ? 'Cluster' : 'Namespaced',
    names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
    versions: versions.map((name, index) => ({
      name,
      served: true,
      storage: index === 0,
      subresources: { status: {} },
      schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
    }))
  }
}))
