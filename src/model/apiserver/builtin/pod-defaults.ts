import type { JsonMap } from '../../../lib/apimachinery/index.ts'
import { ensureMap, fill, mapAt, mapsAt, textAt } from './draft.ts'

/** rw-r--r--, the mode of files in projected volumes. */
const DEFAULT_MODE = 0o644

/**
 * Completes a pod template (core/v1 defaults of Kubernetes 1.36).
 * @param template - draft of a PodTemplateSpec
 */
export function defaultPodTemplate(template: JsonMap): void {
  ensureMap(template, 'metadata')
  defaultPodSpec(ensureMap(template, 'spec'))
}

/**
 * Completes a Pod: the defaults of a template and those only pods have.
 * @param pod - draft of a Pod
 */
export function defaultPod(pod: JsonMap): void {
  const spec = ensureMap(pod, 'spec')
  fill(spec, { enableServiceLinks: true })
  for (const container of [...mapsAt(spec, 'containers'), ...mapsAt(spec, 'initContainers')]) {
    requestLimits(container)
    if (spec['hostNetwork'] === true)
      for (const port of mapsAt(container, 'ports')) fill(port, { hostPort: port['containerPort'] })
  }
  defaultPodSpec(spec)
}

/** What is limited and not requested is requested in full. */
function requestLimits(container: JsonMap): void {
  const limits = mapAt(mapAt(container, 'resources'), 'limits')
  if (Object.keys(limits).length > 0) fill(ensureMap(ensureMap(container, 'resources'), 'requests'), limits)
}

function defaultPodSpec(spec: JsonMap): void {
  fill(spec, {
    dnsPolicy: 'ClusterFirst',
    restartPolicy: 'Always',
    schedulerName: 'default-scheduler',
    securityContext: {},
    terminationGracePeriodSeconds: 30
  })
  // The deprecated name goes along with the new one in both directions.
  const account = textAt(spec, 'serviceAccountName') || textAt(spec, 'serviceAccount')
  if (account !== '') Object.assign(spec, { serviceAccountName: account, serviceAccount: account })
  for (const list of ['containers', 'initContainers', 'ephemeralContainers'])
    mapsAt(spec, list).forEach(defaultContainer)
  mapsAt(spec, 'volumes').forEach(defaultVolume)
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

function defaultContainer(container: JsonMap): void {
  fill(container, {
    imagePullPolicy: defaultPullPolicy(textAt(container, 'image')),
    resources: {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File'
  })
  for (const port of mapsAt(container, 'ports')) fill(port, { protocol: 'TCP' })
  for (const variable of mapsAt(container, 'env')) defaultValueSource(mapAt(variable, 'valueFrom'))
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    if (container[probe] !== undefined) defaultProbe(mapAt(container, probe))
  }
  const lifecycle = mapAt(container, 'lifecycle')
  for (const hook of ['postStart', 'preStop']) defaultHttpGet(mapAt(lifecycle, hook))
}

function defaultValueSource(source: JsonMap): void {
  if (source['fieldRef'] !== undefined) fill(mapAt(source, 'fieldRef'), { apiVersion: 'v1' })
  if (source['resourceFieldRef'] !== undefined) fill(mapAt(source, 'resourceFieldRef'), { divisor: '0' })
}

function defaultProbe(probe: JsonMap): void {
  // Zero counts as unset for these plain numbers.
  for (const [field, value] of Object.entries({
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3
  })) {
    if (probe[field] === undefined || probe[field] === 0) probe[field] = value
  }
  defaultHttpGet(probe)
  if (probe['grpc'] !== undefined) fill(mapAt(probe, 'grpc'), { service: '' })
}

function defaultHttpGet(handler: JsonMap): void {
  if (handler['httpGet'] === undefined) return
  const get = mapAt(handler, 'httpGet')
  if (textAt(get, 'path') === '') get['path'] = '/'
  if (textAt(get, 'scheme') === '') get['scheme'] = 'HTTP'
}

function defaultVolume(volume: JsonMap): void {
  const sources = Object.keys(volume).filter((key) => key !== 'name')
  if (sources.length === 0) volume['emptyDir'] = {}
  for (const source of ['configMap', 'secret', 'downwardAPI', 'projected']) {
    if (volume[source] !== undefined) fill(mapAt(volume, source), { defaultMode: DEFAULT_MODE })
  }
  if (volume['hostPath'] !== undefined) fill(mapAt(volume, 'hostPath'), { type: '' })
  mapsAt(mapAt(volume, 'downwardAPI'), 'items').forEach(defaultValueSource)
  for (const source of mapsAt(mapAt(volume, 'projected'), 'sources')) {
    if (source['serviceAccountToken'] !== undefined)
      fill(mapAt(source, 'serviceAccountToken'), { expirationSeconds: 3600 })
    mapsAt(mapAt(source, 'downwardAPI'), 'items').forEach(defaultValueSource)
  }
  const claim = mapAt(mapAt(volume, 'ephemeral'), 'volumeClaimTemplate')
  if (claim['spec'] !== undefined) fill(mapAt(claim, 'spec'), { volumeMode: 'Filesystem' })
}
