import {
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  indexPath,
  invalidError,
  notSupportedError,
  portNameProblems,
  portNumberProblems,
  requiredError,
  wildcardDomainProblems,
  type FieldError,
  type JsonMap
} from '../../../lib/apimachinery/index.ts'
import { mapOf, mapsOf, textAt, textOf } from './draft.ts'
import { isAddress } from './ip-address.ts'
import { nameProblems } from './meta-validation.ts'
import { textsAt } from './service-shapes.ts'

const CLASS_ANNOTATION = 'kubernetes.io/ingress.class'

/**
 * Validates an Ingress (networking/v1).
 * @param object - Ingress
 * @param old - stored on update
 */
export function validateIngress(object: JsonMap, old?: JsonMap): FieldError[] {
  const spec = mapOf(object['spec'])
  const rules = mapsOf(spec['rules'])
  const errors: FieldError[] = []
  if (rules.length === 0 && spec['defaultBackend'] === undefined) {
    const value = Array.isArray(spec['rules']) ? [] : null
    errors.push(invalidError('spec', value, 'either `defaultBackend` or `rules` must be specified'))
  }
  if (spec['defaultBackend'] !== undefined)
    errors.push(...backendErrors(mapOf(spec['defaultBackend']), 'spec.defaultBackend'))
  errors.push(...rules.flatMap((rule, index) => ruleErrors(rule, indexPath('spec.rules', index))))
  errors.push(...mapsOf(spec['tls']).flatMap((tls, index) => tlsErrors(tls, indexPath('spec.tls', index))))
  const name = spec['ingressClassName']
  if (typeof name !== 'string') return errors
  errors.push(...dns1123SubdomainProblems(name).map((problem) => invalidError('spec.ingressClassName', name, problem)))
  const annotated = mapOf(mapOf(object['metadata'])['annotations'])[CLASS_ANNOTATION]
  if (old !== undefined || annotated === undefined || annotated === name) return errors
  const text = 'must match `ingressClassName` when both are specified'
  return [...errors, invalidError(`annotations.${CLASS_ANNOTATION}`, annotated, text)]
}

function hostProblems(host: string): readonly string[] {
  return host.includes('*') ? wildcardDomainProblems(host) : dns1123SubdomainProblems(host)
}

function ruleErrors(rule: JsonMap, path: string): FieldError[] {
  const host = textOf(rule['host'])
  const errors: FieldError[] = []
  if (isAddress(host)) errors.push(invalidError(`${path}.host`, host, 'must be a DNS name, not an IP address'))
  if (host !== '') errors.push(...hostProblems(host).map((problem) => invalidError(`${path}.host`, host, problem)))
  if (rule['http'] === undefined) return errors
  const paths = mapsOf(mapOf(rule['http'])['paths'])
  if (paths.length === 0) errors.push(requiredError(`${path}.http.paths`))
  return [...errors, ...paths.flatMap((entry, index) => pathErrors(entry, indexPath(`${path}.http.paths`, index)))]
}

const PATH_TYPES: readonly string[] = ['Exact', 'ImplementationSpecific', 'Prefix']
const BAD_SEQUENCES: readonly string[] = ['//', '/./', '/../', '%2f', '%2F']
const BAD_ENDS: readonly string[] = ['/..', '/.']

function pathErrors(entry: JsonMap, path: string): FieldError[] {
  const type = entry['pathType']
  if (type === undefined) return [requiredError(`${path}.pathType`, 'pathType must be specified')]
  const at = `${path}.path`
  const place = textOf(entry['path'])
  const errors: FieldError[] = []
  const isFree = type === 'ImplementationSpecific'
  if (!PATH_TYPES.includes(String(type))) errors.push(notSupportedError(`${path}.pathType`, type, PATH_TYPES))
  else if (!place.startsWith('/') && !(isFree && place === ''))
    errors.push(invalidError(at, place, 'must be an absolute path'))
  if (type === 'Exact' || type === 'Prefix') {
    const found = BAD_SEQUENCES.filter((part) => place.includes(part)).map((part) => `must not contain '${part}'`)
    const ends = BAD_ENDS.filter((part) => place.endsWith(part)).map((part) => `cannot end with '${part}'`)
    errors.push(...[...found, ...ends].map((problem) => invalidError(at, place, problem)))
  }
  return [...errors, ...backendErrors(mapOf(entry['backend']), `${path}.backend`)]
}

function backendErrors(backend: JsonMap, path: string): FieldError[] {
  const hasService = backend['service'] !== undefined
  if (backend['resource'] !== undefined) {
    if (hasService) return [invalidError(path, '', 'cannot set both resource and service backends')]
    return resourceErrors(mapOf(backend['resource']), `${path}.resource`)
  }
  if (!hasService) return [invalidError(path, '', 'resource or service backend is required')]
  return serviceErrors(mapOf(backend['service']), path)
}

function resourceErrors(resource: JsonMap, path: string): FieldError[] {
  const group = resource['apiGroup']
  const errors =
    typeof group === 'string'
      ? dns1123SubdomainProblems(group).map((problem) => invalidError(`${path}.apiGroup`, group, problem))
      : []
  for (const field of ['kind', 'name']) {
    const value = textAt(resource, field)
    if (value === '') errors.push(requiredError(`${path}.${field}`))
    else
      errors.push(
        ...nameProblems('path-segment', value).map((problem) => invalidError(`${path}.${field}`, value, problem))
      )
  }
  return errors
}

function serviceErrors(service: JsonMap, path: string): FieldError[] {
  const at = `${path}.service`
  const serviceName = textOf(service['name'])
  const port = mapOf(service['port'])
  const name = textOf(port['name'])
  const number = Number(port['number'] ?? 0)
  const errors =
    serviceName === ''
      ? [requiredError(`${at}.name`)]
      : dns1123LabelProblems(serviceName).map((problem) => invalidError(`${at}.name`, serviceName, problem))
  if (name !== '' && number !== 0) return [...errors, invalidError(path, '', 'cannot set both port name & port number')]
  if (name !== '')
    return [...errors, ...portNameProblems(name).map((problem) => invalidError(`${at}.port.name`, name, problem))]
  if (number === 0) return [...errors, requiredError(path, 'port name or number is required')]
  return [...errors, ...portNumberProblems(number).map((problem) => invalidError(`${at}.port.number`, number, problem))]
}

function tlsErrors(tls: JsonMap, path: string): FieldError[] {
  const errors = textsAt(tls, 'hosts').flatMap((host, index) =>
    hostProblems(host).map((problem) => invalidError(indexPath(`${path}.hosts`, index), host, problem))
  )
  const secret = textOf(tls['secretName'])
  if (secret === '') return errors
  return [
    ...errors,
    ...dns1123SubdomainProblems(secret).map((problem) => invalidError(`${path}.secretName`, secret, problem))
  ]
}
