import {
  deepEqual,
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  duplicateError,
  forbiddenError,
  indexPath,
  invalidError,
  notSupportedError,
  requiredError,
  SoundValues,
  type FieldError,
  type JsonMap
} from '../../../lib/apimachinery/index.ts'
import { validateAffinity, validateTopologySpread } from './affinity-validation.ts'
import { validateContainers } from './container-validation.ts'
import { mapAt, mapOf, mapsAt, mapsOf, textAt, textOf } from './draft.ts'
import { errorsOfEach, joined, NO_ERRORS, problemErrors, type Findings } from './findings.ts'
import { legacyAddressErrors } from './ip-address.ts'
import { podSpecDiff } from './pod-spec-text.ts'
import { validateAnnotations, validateLabels } from './meta-validation.ts'
import { enumErrors } from './selector-validation.ts'
import { textsAt } from './service-shapes.ts'

const MAX_INT32 = 2_147_483_647

/**
 * Validates a pod template.
 * @param template - PodTemplateSpec
 * @param path - where it is
 */
export function validatePodTemplate(template: JsonMap, path: string): Findings {
  const metadata = mapOf(template['metadata'])
  const spec = mapOf(template['spec'])
  return joined(
    validateLabels(metadata['labels'], `${path}.labels`),
    validateAnnotations(metadata['annotations'], `${path}.annotations`),
    SOUND_SPECS.findings(spec, () => validatePodSpec(spec, `${path}.spec`))
  )
}

/** Specs of templates: a ReplicaSet has that of its Deployment. */
const SOUND_SPECS = new SoundValues()

/**
 * Validates a pod spec (core/v1 `ValidatePodSpec` without security contexts, DNS configuration and the rarer volumes).
 * @param spec - PodSpec
 * @param path - where it is
 */
export function validatePodSpec(spec: JsonMap, path: string): Findings {
  const volumes = mapsOf(spec['volumes'])
  const names = volumes.map((volume) => textOf(volume['name']))
  const containers = mapsOf(spec['containers'])
  return joined(
    volumeErrors(volumes, names, `${path}.volumes`),
    containers.length === 0 ? [requiredError(`${path}.containers`)] : NO_ERRORS,
    validateContainers(containers, `${path}.containers`, names),
    validateContainers(mapsOf(spec['initContainers']), `${path}.initContainers`, names),
    policyErrors(spec, path),
    validateLabels(spec['nodeSelector'], `${path}.nodeSelector`),
    sysctlErrors(spec, path),
    spec['affinity'] === undefined ? NO_ERRORS : validateAffinity(mapOf(spec['affinity']), `${path}.affinity`),
    validateTopologySpread(mapsOf(spec['topologySpreadConstraints']), `${path}.topologySpreadConstraints`),
    nameErrors(spec, path),
    deadlineErrors(spec, path),
    tolerationErrors(mapsOf(spec['tolerations']), `${path}.tolerations`),
    errorsOfEach(mapsOf(spec['hostAliases']), (alias, index) =>
      hostAliasErrors(alias, indexPath(`${path}.hostAliases`, index))
    )
  )
}

/** Settings of the kernel that belong to the host are not a pod's to change. */
function sysctlErrors(spec: JsonMap, path: string): Findings {
  return errorsOfEach(mapsOf(mapOf(spec['securityContext'])['sysctls']), (sysctl, index) => {
    const at = `${indexPath(`${path}.securityContext.sysctls`, index)}.name`
    const name = textOf(sysctl['name'])
    if (name === '') return [requiredError(at)]
    const isShared = name.startsWith('net.') && spec['hostNetwork'] === true
    return isShared ? [invalidError(at, name, "may not be specified when 'hostNetwork' is true")] : NO_ERRORS
  })
}

function hostAliasErrors(alias: JsonMap, path: string): Findings {
  const names = errorsOfEach(textsAt(alias, 'hostnames'), (name, index) =>
    problemErrors(indexPath(`${path}.hostnames`, index), name, dns1123SubdomainProblems(name))
  )
  return joined(legacyAddressErrors(textOf(alias['ip']), `${path}.ip`, []), names)
}

function volumeErrors(volumes: readonly JsonMap[], names: readonly string[], path: string): Findings {
  return errorsOfEach(volumes, (volume, index) => {
    const at = indexPath(path, index)
    const name = names[index] ?? ''
    const named =
      name === '' ? [requiredError(`${at}.name`)] : problemErrors(`${at}.name`, name, dns1123LabelProblems(name))
    const isRepeated = name !== '' && names.indexOf(name) < index
    return joined(sourceErrors(volume, at), named, isRepeated ? [duplicateError(`${at}.name`, name)] : NO_ERRORS)
  })
}

/** Sources in the order they are checked: the second one found is the one too many. */
const VOLUME_SOURCES: readonly (readonly [source: string, required: string])[] = [
  ['emptyDir', ''],
  ['hostPath', 'path'],
  ['secret', 'secretName'],
  ['nfs', 'server'],
  ['persistentVolumeClaim', 'claimName'],
  ['downwardAPI', ''],
  ['configMap', 'name'],
  ['projected', ''],
  ['csi', 'driver'],
  ['ephemeral', ''],
  ['image', '']
]

function sourceErrors(volume: JsonMap, path: string): Findings {
  // What the server itself mounts is one projection.
  if (volume['projected'] !== undefined && Object.keys(volume).length === 2 && volume['name'] !== undefined)
    return NO_ERRORS
  const errors: FieldError[] = []
  let count = 0
  for (const [source, required] of VOLUME_SOURCES) {
    if (volume[source] === undefined) continue
    count += 1
    const at = `${path}.${source}`
    if (count > 1) errors.push(forbiddenError(at, 'may not specify more than 1 volume type'))
    else if (required !== '' && textAt(mapAt(volume, source), required) === '')
      errors.push(requiredError(`${at}.${required}`))
  }
  const hasOther = Object.keys(volume).some((key) => key !== 'name')
  if (count === 0 && !hasOther) errors.push(requiredError(path, 'must specify a volume type'))
  return errors
}

const RESTART_POLICIES: readonly string[] = ['Always', 'OnFailure', 'Never']
const DNS_POLICIES: readonly string[] = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']

function policyErrors(spec: JsonMap, path: string): Findings {
  return joined(
    enumErrors(textOf(spec['restartPolicy']), RESTART_POLICIES, `${path}.restartPolicy`),
    enumErrors(textOf(spec['dnsPolicy']), DNS_POLICIES, `${path}.dnsPolicy`)
  )
}

const NAMES: readonly (readonly [field: string, problems: (text: string) => readonly string[]])[] = [
  ['serviceAccountName', dns1123SubdomainProblems],
  ['nodeName', dns1123SubdomainProblems],
  ['hostname', dns1123LabelProblems],
  ['subdomain', dns1123LabelProblems],
  ['priorityClassName', dns1123SubdomainProblems],
  ['runtimeClassName', dns1123SubdomainProblems]
]

function nameErrors(spec: JsonMap, path: string): Findings {
  return errorsOfEach(NAMES, ([field, problems]) => {
    const value = textAt(spec, field)
    return value === '' ? NO_ERRORS : problemErrors(`${path}.${field}`, value, problems(value))
  })
}

function deadlineErrors(spec: JsonMap, path: string): Findings {
  const deadline = spec['activeDeadlineSeconds']
  if (typeof deadline !== 'number' || (deadline >= 1 && deadline <= MAX_INT32)) return NO_ERRORS
  return [invalidError(`${path}.activeDeadlineSeconds`, deadline, `must be between 1 and ${MAX_INT32}, inclusive`)]
}

const EFFECTS: readonly string[] = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

function tolerationErrors(tolerations: readonly JsonMap[], path: string): Findings {
  return errorsOfEach(tolerations, (toleration, index) => {
    const at = indexPath(path, index)
    const operator = textOf(toleration['operator'])
    const errors: FieldError[] = []
    if (textOf(toleration['key']) === '' && operator !== 'Exists') {
      const text = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
      errors.push(invalidError(`${at}.operator`, operator, text))
    }
    if (operator === 'Exists' && textOf(toleration['value']) !== '') {
      errors.push(invalidError(`${at}.operator`, toleration, "value must be empty when `operator` is 'Exists'"))
    }
    const effect = textOf(toleration['effect'])
    if (effect !== '' && !EFFECTS.includes(effect)) errors.push(notSupportedError(`${at}.effect`, effect, EFFECTS))
    return errors
  })
}

const UPDATE_RULE =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'

/**
 * Validates what an update of a Pod may change.
 * @param pod - new
 * @param old - stored
 */
export function validatePodUpdate(pod: JsonMap, old: JsonMap): Findings {
  if (pod['spec'] === old['spec']) return NO_ERRORS
  const spec = mapOf(pod['spec'])
  const before = mapOf(old['spec'])
  const sameContainers = mapsOf(spec['containers']).length === mapsOf(before['containers']).length
  if (!sameContainers) return [forbiddenError('spec.containers', 'pod updates may not add or remove containers')]
  const sameInit = mapsOf(spec['initContainers']).length === mapsOf(before['initContainers']).length
  if (!sameInit) return [forbiddenError('spec.initContainers', 'pod updates may not add or remove containers')]
  const munged = withMutableFields(spec, before)
  if (deepEqual(munged, before)) return NO_ERRORS
  return [forbiddenError('spec', `${UPDATE_RULE}\n${podSpecDiff(before, munged)}`)]
}

/** The new spec with the fields an update may change set back. */
function withMutableFields(spec: JsonMap, before: JsonMap): JsonMap {
  const images = (list: string): JsonMap[] =>
    mapsAt(spec, list).map((container, index) => ({ ...container, image: mapsAt(before, list)[index]?.['image'] }))
  const result: JsonMap = { ...spec, containers: images('containers') }
  if (spec['initContainers'] !== undefined) result['initContainers'] = images('initContainers')
  const deadline = before['activeDeadlineSeconds']
  if (deadline === undefined) delete result['activeDeadlineSeconds']
  else if (typeof spec['activeDeadlineSeconds'] === 'number') result['activeDeadlineSeconds'] = deadline
  const kept = mapsOf(before['tolerations'])
  const now = mapsOf(spec['tolerations'])
  if (kept.every((toleration) => now.some((other) => deepEqual(toleration, other)))) {
    if (before['tolerations'] === undefined) delete result['tolerations']
    else result['tolerations'] = before['tolerations']
  }
  if (before['schedulingGates'] !== undefined && spec['schedulingGates'] === undefined)
    result['schedulingGates'] = before['schedulingGates']
  if (Number(before['terminationGracePeriodSeconds'] ?? 0) < 0 && spec['terminationGracePeriodSeconds'] === 1) {
    result['terminationGracePeriodSeconds'] = before['terminationGracePeriodSeconds']
  }
  return result
}
