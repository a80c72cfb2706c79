import type { AppSpec } from '../kinds/index.ts'

const spec = (app: AppSpec['app']): AppSpec => ({ app, faults: [], options: {} })

/**
 * What images a world to play in knows without being told: those of the tutorials, in any version.
 * A key ending in `:*` stands for every tag; the version an app reports is then the tag.
 */
export const UP_IMAGES: Readonly<Record<string, AppSpec>> = {
  'stefanprodan/podinfo:*': spec('podinfo'),
  'ghcr.io/stefanprodan/podinfo:*': spec('podinfo'),
  'quay.io/stefanprodan/podinfo:*': spec('podinfo'),
  'docker.io/stefanprodan/podinfo:*': spec('podinfo'),
  'buoyantio/slow_cooker:*': spec('slow-cooker'),
  'weaveworks/flagger-loadtester:*': spec('load-tester'),
  'ghcr.io/fluxcd/flagger-loadtester:*': spec('load-tester'),
  'ghcr.io/weaveworks/flagger-loadtester:*': spec('load-tester'),
  'nginx:*': spec('nginx'),
  nginx: spec('nginx'),
  'buoyantio/helloworld:*': spec('hello-world'),
  'cyrilbkr/testapp:1.0': { ...spec('testapp'), options: { body: 'Hello v1' } },
  'cyrilbkr/testapp:2.0': { ...spec('testapp'), options: { body: 'Hello v2' } },
  'cyrilbkr/testapp:3.0': { ...spec('testapp'), options: { status: 404 } },
  'ghcr.io/fluxcd/flagger:*': spec('pause'),
  'weaveworks/flagger:*': spec('pause'),
  'prom/prometheus:*': spec('pause'),
  'registry.k8s.io/pause:*': spec('pause')
}
