import { describe, expect, test } from 'vitest'
import { typedMismatch } from '../../../src/model/canary/typed-mismatch.ts'
import type { TypedStruct } from '../../../src/model/canary/typed.ts'

/** Specs that another client wrote, and what Flagger 1.44.0 said of them after `<kind> podinfo.test get query error: `. */
const SPECS: readonly (readonly [TypedStruct, string, unknown, string | undefined])[] = [
  [
    'istio/v1beta1.DestinationRuleSpec',
    'DestinationRule',
    { trafficPolicy: 'x' },
    'json: cannot unmarshal string into Go struct field DestinationRuleSpec.spec.trafficPolicy of type v1beta1.TrafficPolicy'
  ],
  [
    'istio/v1beta1.DestinationRuleSpec',
    'DestinationRule',
    { host: 5 },
    'json: cannot unmarshal number into Go struct field DestinationRuleSpec.spec.host of type string'
  ],
  [
    'istio/v1beta1.DestinationRuleSpec',
    'DestinationRule',
    { trafficPolicy: { tls: { mode: 3 } } },
    'json: cannot unmarshal number into Go struct field TLSSettings.spec.trafficPolicy.tls.mode of type v1beta1.TLSmode'
  ],
  [
    'istio/v1beta1.DestinationRuleSpec',
    'DestinationRule',
    { subsets: {} },
    'json: cannot unmarshal object into Go struct field DestinationRuleSpec.spec.subsets of type []v1beta1.Subset'
  ],
  [
    'keda/v1alpha1.ScaledObjectSpec',
    'ScaledObject',
    { minReplicaCount: '1' },
    'json: cannot unmarshal string into Go struct field ScaledObjectSpec.spec.minReplicaCount of type int32'
  ],
  [
    'keda/v1alpha1.ScaledObjectSpec',
    'ScaledObject',
    { triggers: 'x' },
    'json: cannot unmarshal string into Go struct field ScaledObjectSpec.spec.triggers of type []v1alpha1.ScaleTriggers'
  ],
  [
    'keda/v1alpha1.ScaledObjectSpec',
    'ScaledObject',
    { scaleTargetRef: 5 },
    'json: cannot unmarshal number into Go struct field ScaledObjectSpec.spec.scaleTargetRef of type v1alpha1.ScaleTarget'
  ],
  [
    'keda/v1alpha1.ScaledObjectSpec',
    'ScaledObject',
    { pollingInterval: 1.5 },
    'json: cannot unmarshal number 1.5 into Go struct field ScaledObjectSpec.spec.pollingInterval of type int32'
  ],
  [
    'keda/v1alpha1.ScaledObjectSpec',
    'ScaledObject',
    { triggers: [{ type: 1 }] },
    'json: cannot unmarshal number into Go struct field ScaleTriggers.spec.triggers.type of type string'
  ],
  [
    'smi/v1alpha2.TrafficSplitSpec',
    'TrafficSplit',
    { backends: 'x' },
    'json: cannot unmarshal string into Go struct field TrafficSplitSpec.spec.backends of type []v1alpha2.TrafficSplitBackend'
  ],
  [
    'smi/v1alpha2.TrafficSplitSpec',
    'TrafficSplit',
    { backends: [{ service: 1, weight: 1 }] },
    'json: cannot unmarshal number into Go struct field TrafficSplitBackend.spec.backends.service of type string'
  ],
  [
    'smi/v1alpha2.TrafficSplitSpec',
    'TrafficSplit',
    { service: true },
    'json: cannot unmarshal bool into Go struct field TrafficSplitSpec.spec.service of type string'
  ],
  [
    'smi/v1alpha2.TrafficSplitSpec',
    'TrafficSplit',
    { backends: [{ service: 'podinfo-primary', weight: 1.5 }] },
    'json: cannot unmarshal number 1.5 into Go struct field TrafficSplitBackend.spec.backends.weight of type int'
  ],
  [
    'smi/v1alpha2.TrafficSplitSpec',
    'TrafficSplit',
    [],
    'json: cannot unmarshal array into Go struct field TrafficSplit.spec of type v1alpha2.TrafficSplitSpec'
  ],
  [
    'smi/v1alpha2.TrafficSplitSpec',
    'TrafficSplit',
    { backends: [{ service: 'podinfo-primary', weight: 100000000000000000000 }] },
    'json: cannot unmarshal number 100000000000000000000 into Go struct field TrafficSplitBackend.spec.backends.weight of type int'
  ],
  [
    'istio/v1beta1.VirtualServiceSpec',
    'VirtualService',
    { hosts: 'x' },
    'json: cannot unmarshal string into Go struct field VirtualServiceSpec.spec.hosts of type []string'
  ],
  [
    'istio/v1beta1.VirtualServiceSpec',
    'VirtualService',
    {
      http: [
        {
          route: [
            { destination: { host: 'podinfo-primary' }, weight: '100' },
            { destination: { host: 'podinfo-canary' }, weight: 0 }
          ]
        }
      ]
    },
    'json: cannot unmarshal string into Go struct field HTTPRouteDestination.spec.http.route.weight of type int'
  ],
  [
    'istio/v1beta1.VirtualServiceSpec',
    'VirtualService',
    { http: [{ retries: { attempts: 1.5 } }] },
    'json: cannot unmarshal number 1.5 into Go struct field HTTPRetry.spec.http.retries.attempts of type int'
  ],
  [
    'istio/v1beta1.VirtualServiceSpec',
    'VirtualService',
    { http: [{ match: [{ uri: 'x' }] }] },
    'json: cannot unmarshal string into Go struct field HTTPMatchRequest.spec.http.match.uri of type v1alpha1.StringMatch'
  ],
  [
    'istio/v1beta1.VirtualServiceSpec',
    'VirtualService',
    { gateways: [1] },
    'json: cannot unmarshal number into Go struct field VirtualServiceSpec.spec.gateways of type string'
  ],
  [
    'istio/v1beta1.VirtualServiceSpec',
    'VirtualService',
    'x',
    'json: cannot unmarshal string into Go struct field VirtualService.spec of type v1beta1.VirtualServiceSpec'
  ],
  [
    'istio/v1beta1.VirtualServiceSpec',
    'VirtualService',
    { http: [{ headers: { request: { add: { a: 1 } } }, timeout: 5 }] },
    'json: cannot unmarshal number into Go struct field HeaderOperations.spec.http.headers.request.add of type string'
  ],
  [
    'istio/v1beta1.VirtualServiceSpec',
    'VirtualService',
    { http: [5] },
    'json: cannot unmarshal number into Go struct field VirtualServiceSpec.spec.http of type v1beta1.HTTPRoute'
  ]
]

describe('typedMismatch', () => {
  test.each(SPECS)('%s, kind %s, %j', (struct, kind, spec, problem) => {
    expect(typedMismatch(struct, kind, spec)).toBe(problem)
  })
})
