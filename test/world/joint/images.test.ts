import { describe, expect, it } from 'vitest'
import type { AppSpec, KubeObject } from '../../../src/kinds/index.ts'
import { requireKnownImages, roleOfImage } from '../../../src/world/joint/index.ts'

const PODINFO: AppSpec = { app: 'podinfo', faults: [], options: {} }
const PAUSE: AppSpec = { app: 'pause', faults: [], options: {} }

describe('roleOfImage()', () => {
  it.each([
    ['podinfo:1', { 'podinfo:1': PODINFO }, 'app'],
    ['localhost:5000/podinfo:2', { 'localhost:5000/podinfo:*': PODINFO }, 'app'],
    ['podinfo@sha256:abc', { 'podinfo:*': PODINFO }, 'app'],
    ['podinfo:2', { 'podinfo:1': PODINFO }, 'unknown'],
    ['ghcr.io/fluxcd/flagger:1.44.0', {}, 'stand-in'],
    ['ghcr.io/fluxcd/flagger:1.44.0', { 'ghcr.io/fluxcd/flagger:*': PAUSE }, 'stand-in'],
    ['ghcr.io/fluxcd/flagger-loadtester:0.38.0', {}, 'unknown'],
    ['prom/prometheus:v2.55.1', {}, 'stand-in']
  ])('%s among %j is %s', (image, images, role) => {
    expect(roleOfImage(image, images).role).toBe(role)
  })
})

describe('requireKnownImages()', () => {
  it('names the object and the image nobody has described', () => {
    const deployment: KubeObject = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'api', namespace: 'shop' },
      spec: { template: { spec: { containers: [{ name: 'api', image: 'shop/api:7' }] } } }
    }
    expect(() => requireKnownImages([deployment], { 'podinfo:1': PODINFO })).toThrow(
      'Deployment shop/api runs the image shop/api:7, which spec.images does not describe (described: podinfo:1)'
    )
  })
})
