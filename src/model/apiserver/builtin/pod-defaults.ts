import { deepFreeze, type JsonMap } from '../../../lib/apimachinery/index.ts'
import { filled, mapOf, textOf, withEach, withMap, withMember, withPresent } from './draft.ts'

/** rw-r--r--, the mode of files in projected volumes. */
const DEFAULT_MODE = 0o644

const NOTHING: JsonMap = Object.freeze({})
const TCP: JsonMap = { protocol: 'TCP' }

/**
 * Completes a pod template (core/v1 defaults of Kubernetes 1.36).
 * @param template - a PodTemplateSpec; not changed
 */
export function defaultPodTemplate(template: JsonMap): JsonMap {
  return withMap(filled(template, TEMPLATE), 'spec', (spec) => {
    if (COMPLETE.has(spec)) return spec
    // It is frozen when it is stored at the latest; done here, what is found out about it is kept.
    const complete = deepFreeze(defaultPodSpec(spec))
    COMPLETE.add(complete)
    for (const list of CONTAINER_LISTS) if (Array.isArray(complete[list])) COMPLETE.add(complete[list])
    return complete
  })
}

const TEMPLATE: JsonMap = { metadata: NOTHING }
const CONTAINER_LISTS: readonly string[] = ['containers', 'initContainers', 'ephemeralContainers']
/** Specs of templates and lists of containers that have their defaults. */
const COMPLETE = new WeakSet<object>()
/** Lists of containers of which those of pods request what they limit. */
const REQUESTED = new WeakSet<object>()

/**
 * Completes the spec of a Pod: the defaults of a template and those only pods have.
 * @param given - PodSpec; not changed
 */
export function defaultPod(given: JsonMap): JsonMap {
  const isOnHost = given['hostNetwork'] === true
  const spec = filled(given, POD)
  return defaultPodSpec(withPodContainers(withPodContainers(spec, 'containers', isOnHost), 'initContainers', isOnHost))
}

const POD: JsonMap = { enableServiceLinks: true }

function withPodContainers(spec: JsonMap, key: string, isOnHost: boolean): JsonMap {
  const list = spec[key]
  if (list === undefined || (!isOnHost && isKnown(REQUESTED, list))) return spec
  const changed = withEach(spec, key, (container) => {
    const requested = requestLimits(container)
    if (!isOnHost) return requested
    return withEach(requested, 'ports', (port) => filled(port, { hostPort: port['containerPort'] }))
  })
  if (!isOnHost && changed === spec) remember(REQUESTED, list)
  return changed
}

function isKnown(known: WeakSet<object>, value: unknown): boolean {
  return typeof value === 'object' && value !== null && known.has(value)
}

/** Only what is frozen stays as it was found. */
function remember(known: WeakSet<object>, value: unknown): void {
  if (typeof value === 'object' && value !== null && Object.isFrozen(value)) known.add(value)
}

/** What is limited and not requested is requested in full. */
function requestLimits(container: JsonMap): JsonMap {
  const limits = mapOf(mapOf(container['resources'])['limits'])
  if (Object.keys(limits).length === 0) return container
  return withMap(container, 'resources', (resources) =>
    withMap(resources, 'requests', (requests) => filled(requests, limits))
  )
}

const POD_SPEC: JsonMap = {
  dnsPolicy: 'ClusterFirst',
  restartPolicy: 'Always',
  schedulerName: 'default-scheduler',
  securityContext: NOTHING,
  terminationGracePeriodSeconds: 30
}

function defaultPodSpec(given: JsonMap): JsonMap {
  let spec = filled(given, POD_SPEC)
  // The deprecated name goes along with the new one in both directions.
  const account = textOf(spec['serviceAccountName']) || textOf(spec['serviceAccount'])
  if (account !== '') {
    spec = withMember(withMember(spec, 'serviceAccountName', account), 'serviceAccount', account)
  }
  for (const list of CONTAINER_LISTS) {
    if (spec[list] === undefined || isKnown(COMPLETE, spec[list])) continue
    const changed = withEach(spec, list, defaultContainer)
    if (changed === spec) remember(COMPLETE, spec[list])
    spec = changed
  }
  return withEach(spec, 'volumes', defaultVolume)
}

/**
 * Pull policy an image gets when none is given: `Always` for `latest`, tagged or by absence of tag and digest.
 * @param image - reference
 */
export function defaultPullPolicy(image: string): string {
  const [name = '', digest] = image.split('@')
  const lastPart = name.slice(name.lastIndexOf('/') + 1)
  const tag = lastPart.includes(':') ? lastPart.slice(lastPart.indexOf(':') + 1) : digest === undefined ? 'latest' : ''
  return tag === 'latest' ? 'Always' : 'IfNotPresent'
}

const CONTAINER: JsonMap = {
  resources: NOTHING,
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File'
}

const PROBES: readonly string[] = ['livenessProbe', 'readinessProbe', 'startupProbe']

function defaultContainer(given: JsonMap): JsonMap {
  const isPulled = given['imagePullPolicy'] !== undefined && given['imagePullPolicy'] !== null
  let container = isPulled ? given : { ...given, imagePullPolicy: defaultPullPolicy(textOf(given['image'])) }
  container = filled(container, CONTAINER)
  container = withEach(container, 'ports', (port) => filled(port, TCP))
  container = withEach(container, 'env', defaultVariable)
  for (const probe of PROBES) container = withPresent(container, probe, defaultProbe)
  return withPresent(container, 'lifecycle', (lifecycle) =>
    withPresent(withPresent(lifecycle, 'postStart', defaultHttpGet), 'preStop', defaultHttpGet)
  )
}

function defaultVariable(variable: JsonMap): JsonMap {
  return withPresent(variable, 'valueFrom', defaultValueSource)
}

function defaultValueSource(source: JsonMap): JsonMap {
  return withPresent(
    withPresent(source, 'fieldRef', (field) => filled(field, { apiVersion: 'v1' })),
    'resourceFieldRef',
    (resource) => filled(resource, { divisor: '0' })
  )
}

const PROBE: Readonly<Record<string, number>> = {
  timeoutSeconds: 1,
  periodSeconds: 10,
  successThreshold: 1,
  failureThreshold: 3
}

function defaultProbe(given: JsonMap): JsonMap {
  let probe = given
  // Zero counts as unset for these plain numbers.
  for (const field in PROBE) {
    if (probe[field] === undefined || probe[field] === 0) probe = { ...probe, [field]: PROBE[field] }
  }
  return withPresent(defaultHttpGet(probe), 'grpc', (grpc) => filled(grpc, { service: '' }))
}

function defaultHttpGet(handler: JsonMap): JsonMap {
  return withPresent(handler, 'httpGet', (given) => {
    const get = textOf(given['path']) === '' ? { ...given, path: '/' } : given
    return textOf(get['scheme']) === '' ? { ...get, scheme: 'HTTP' } : get
  })
}

const MODE: JsonMap = { defaultMode: DEFAULT_MODE }

function defaultVolume(given: JsonMap): JsonMap {
  const hasSource = Object.keys(given).some((key) => key !== 'name')
  let volume = hasSource ? given : { ...given, emptyDir: {} }
  for (const source of ['configMap', 'secret', 'downwardAPI', 'projected'])
    volume = withPresent(volume, source, (files) => filled(files, MODE))
  volume = withPresent(volume, 'hostPath', (path) => filled(path, { type: '' }))
  volume = withPresent(volume, 'downwardAPI', (files) => withEach(files, 'items', defaultValueSource))
  volume = withPresent(volume, 'projected', (projected) => withEach(projected, 'sources', defaultProjection))
  return withPresent(volume, 'ephemeral', (ephemeral) =>
    withPresent(ephemeral, 'volumeClaimTemplate', (claim) =>
      withPresent(claim, 'spec', (spec) => filled(spec, { volumeMode: 'Filesystem' }))
    )
  )
}

function defaultProjection(source: JsonMap): JsonMap {
  return withPresent(
    withPresent(source, 'serviceAccountToken', (token) => filled(token, { expirationSeconds: 3600 })),
    'downwardAPI',
    (files) => withEach(files, 'items', defaultValueSource)
  )
}
