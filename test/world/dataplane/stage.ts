import type { AppSpec, KubeObject } from '../../../src/kinds/index.ts'
import { SteppedClock } from '../../../src/lib/time/index.ts'
import {
  createDataplane,
  type Dataplane,
  type DataplaneOptions,
  type RequestObservation
} from '../../../src/world/dataplane/index.ts'

/** A small cluster for tests of the data plane: stored objects, a stepped clock with its pump, the data plane. */
export interface Stage {
  readonly clock: SteppedClock
  readonly dataplane: Dataplane
  readonly observations: RequestObservation[]
  /** The stored objects. */
  readonly api: DataplaneOptions['api']
  put(group: string, resource: string, object: KubeObject): void
  remove(group: string, resource: string, namespace: string, name: string): void
  /** A ready pod of a deployment with its endpoints behind the named services. */
  pod(options: PodOptions): KubeObject
  /** A Service with one port and its slice. */
  service(name: string, port: number, pods: readonly string[]): void
  /** Lets simulated time run for that long. */
  run(ms: number): Promise<void>
  /** Time moves whenever nothing holds it, until {@link Stage.close}. */
  free(): void
  close(): Promise<void>
}

interface PodOptions {
  readonly name: string
  readonly image: string
  readonly ip: string
  readonly deployment?: string
  readonly namespace?: string
  readonly container?: Readonly<Record<string, unknown>>
  readonly volumes?: readonly unknown[]
  readonly meshed?: boolean
}

const NAMESPACE = 'test'

/** Builds a stage. */
export function createStage(images: Readonly<Record<string, AppSpec>>, extra: Partial<DataplaneOptions> = {}): Stage {
  const clock = new SteppedClock(Date.UTC(2026, 0, 1))
  const store = new Map<string, Map<string, KubeObject>>()
  const listeners = new Set<(change: never) => void>()
  const observations: RequestObservation[] = []
  const kind = (group: string, resource: string): Map<string, KubeObject> => {
    const key = `${group}/${resource}`
    const found = store.get(key) ?? new Map<string, KubeObject>()
    store.set(key, found)
    return found
  }
  const api = {
    list: (group: string, resource: string, namespace?: string): readonly KubeObject[] =>
      [...kind(group, resource).values()].filter(
        (object) => namespace === undefined || object.metadata.namespace === namespace
      ),
    get: (group: string, resource: string, namespace: string | undefined, name: string): KubeObject | undefined =>
      kind(group, resource).get(`${namespace ?? ''}/${name}`),
    subscribe: (listener: (change: never) => void): (() => void) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    }
  }
  const dataplane = createDataplane({
    timeline: clock,
    holds: clock,
    api,
    seed: 7,
    mesh: { provider: 'linkerd', adminTraffic: true },
    specFor: (image) => images[image],
    onRequest: (observation) => observations.push(observation),
    ...extra
  })
  const tell = (group: string, resource: string): void => {
    for (const listener of listeners) listener({ group, resource } as never)
  }
  const stage: Stage = {
    clock,
    dataplane,
    observations,
    api,
    put(group, resource, object) {
      kind(group, resource).set(`${object.metadata.namespace ?? ''}/${object.metadata.name}`, object)
      tell(group, resource)
    },
    remove(group, resource, namespace, name) {
      kind(group, resource).delete(`${namespace}/${name}`)
      tell(group, resource)
    },
    pod(options) {
      const pod = podObject(options)
      stage.put('', 'pods', pod)
      return pod
    },
    service(name, port, pods) {
      stage.put('', 'services', {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name, namespace: NAMESPACE },
        spec: { clusterIP: `10.96.0.${name.length}`, ports: [{ name: 'http', port }] }
      })
      stage.put('discovery.k8s.io', 'endpointslices', {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: `${name}-x`, namespace: NAMESPACE, labels: { 'kubernetes.io/service-name': name } },
        ports: [{ name: 'http', port: 9898 }],
        endpoints: pods.map((pod) => endpoint(api.get('', 'pods', NAMESPACE, pod)))
      })
    },
    async run(ms) {
      const end = clock.now() + ms
      await new Promise<void>((resolve) => {
        clock.at(end, resolve)
        const pump = (): void => {
          clock.step()
          if (clock.now() < end) setImmediate(pump)
        }
        pump()
      })
    },
    free() {
      free = true
      const pump = (): void => {
        if (!free) return
        clock.step()
        setImmediate(pump)
      }
      pump()
    },
    async close() {
      free = false
      await dataplane.close()
    }
  }
  let free = false
  return stage
}

function podObject(options: PodOptions): KubeObject {
  const namespace = options.namespace ?? NAMESPACE
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: options.name,
      namespace,
      labels: { app: options.deployment ?? options.name, 'pod-template-hash': 'abc' },
      annotations: options.meshed === false ? {} : { 'linkerd.io/inject': 'enabled' },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: `${options.deployment ?? options.name}-abc`,
          uid: 'u',
          controller: true
        }
      ]
    },
    spec: {
      serviceAccountName: 'default',
      volumes: options.volumes ?? [],
      containers: [{ name: 'main', image: options.image, ...options.container }]
    },
    status: { podIP: options.ip }
  }
}

function endpoint(pod: KubeObject | undefined): unknown {
  const status = pod?.status as { podIP: string } | undefined
  return {
    addresses: [status?.podIP ?? '10.0.0.0'],
    conditions: { ready: true },
    targetRef: { kind: 'Pod', name: pod?.metadata.name, namespace: pod?.metadata.namespace }
  }
}
