import type { KubeObject } from '../api.ts'
import flagger from './flagger.generated.json' with { type: 'json' }
import gatewayApi from './gateway-api.generated.json' with { type: 'json' }
import smi from './smi.generated.json' with { type: 'json' }

/** Where generated definitions come from. */
export interface CrdSource {
  readonly source: string
  readonly version: string
  readonly licence: string
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const member of Object.values(value)) freeze(member)
  }
  return value
}

function frozenCrds(data: { definitions: unknown }): readonly KubeObject[] {
  return freeze(data.definitions) as readonly KubeObject[]
}

/** CustomResourceDefinitions of Flagger 1.44.0: canaries, metrictemplates, alertproviders. Frozen, without descriptions. */
export const FLAGGER_CRDS: readonly KubeObject[] = frozenCrds(flagger)

/** CustomResourceDefinitions of Gateway API 1.5.1, standard channel: gatewayclasses, gateways, httproutes, referencegrants. */
export const GATEWAY_API_CRDS: readonly KubeObject[] = frozenCrds(gatewayApi)

/** CustomResourceDefinition of the SMI TrafficSplit. */
export const SMI_CRDS: readonly KubeObject[] = frozenCrds(smi)

/** All generated definitions. */
export const ALL_CRDS: readonly KubeObject[] = freeze([...FLAGGER_CRDS, ...GATEWAY_API_CRDS, ...SMI_CRDS])

/** Sources of the generated definitions, by file. */
export const CRD_SOURCES: Readonly<Record<'flagger' | 'gateway-api' | 'smi', CrdSource>> = {
  flagger: flagger.header,
  'gateway-api': gatewayApi.header,
  smi: smi.header
}
