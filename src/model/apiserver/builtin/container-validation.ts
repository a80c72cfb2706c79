import {
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  duplicateError,
  envVarNameProblems,
  forbiddenError,
  formatQuantity,
  indexPath,
  invalidError,
  notFoundError,
  notSupportedError,
  parseQuantity,
  portNameProblems,
  portNumberProblems,
  qualifiedNameProblems,
  requiredError,
  type FieldError,
  type JsonMap,
  type Quantity
} from '../../../lib/apimachinery/index.ts'
import { mapAt, mapsAt, textAt } from './draft.ts'
import { nonNegativeErrors } from './meta-validation.ts'
import { enumErrors } from './selector-validation.ts'

/** Transport protocols, in the order messages list them. */
export const PROTOCOLS: readonly string[] = ['SCTP', 'TCP', 'UDP']

/** Resources of containers without a domain. */
const CONTAINER_RESOURCES: ReadonlySet<string> = new Set(['cpu', 'memory', 'ephemeral-storage'])

/** Fields an environment variable may be taken from. */
const ENV_FIELDS: ReadonlySet<string> = new Set([
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs'
])

/**
 * Validates a list of containers.
 * @param containers - the list
 * @param path - where it is
 * @param volumes - names of the pod's volumes
 */
export function validateContainers(
  containers: readonly JsonMap[],
  path: string,
  volumes: ReadonlySet<string>
): FieldError[] {
  const names = new Set<string>()
  return containers.flatMap((container, index) => {
    const at = indexPath(path, index)
    const name = textAt(container, 'name')
    const errors = containerErrors(container, at, volumes)
    if (name !== '' && names.has(name)) errors.push(duplicateError(`${at}.name`, name))
    names.add(name)
    return errors
  })
}

function containerErrors(container: JsonMap, path: string, volumes: ReadonlySet<string>): FieldError[] {
  const name = textAt(container, 'name')
  const image = textAt(container, 'image')
  const errors: FieldError[] = []
  if (name === '') errors.push(requiredError(`${path}.name`))
  else errors.push(...dns1123LabelProblems(name).map((problem) => invalidError(`${path}.name`, name, problem)))
  if (image === '') errors.push(requiredError(`${path}.image`))
  else if (image !== image.trim())
    errors.push(invalidError(`${path}.image`, image, 'must not have leading or trailing whitespace'))
  return [
    ...errors,
    ...enumErrors(
      container['terminationMessagePolicy'],
      ['FallbackToLogsOnError', 'File'],
      `${path}.terminationMessagePolicy`
    ),
    ...portErrors(mapsAt(container, 'ports'), `${path}.ports`),
    ...environmentErrors(mapsAt(container, 'env'), `${path}.env`),
    ...environmentSourceErrors(mapsAt(container, 'envFrom'), `${path}.envFrom`),
    ...mountErrors(mapsAt(container, 'volumeMounts'), `${path}.volumeMounts`, volumes),
    ...enumErrors(container['imagePullPolicy'], ['Always', 'IfNotPresent', 'Never'], `${path}.imagePullPolicy`),
    ...resourceErrors(mapAt(container, 'resources'), `${path}.resources`),
    ...hookErrors(container, path)
  ]
}

const PROBES: readonly string[] = ['livenessProbe', 'readinessProbe', 'startupProbe']

/** Containers that run before the others have neither hooks nor probes, unless they go on running. */
function hookErrors(container: JsonMap, path: string): FieldError[] {
  if (/\.initContainers\[\d+\]$/.test(path) && container['restartPolicy'] !== 'Always') {
    const text = 'may not be set for init containers without restartPolicy=Always'
    const found = ['lifecycle', ...PROBES].filter((field) => container[field] !== undefined)
    return found.map((field) => forbiddenError(`${path}.${field}`, text))
  }
  return [
    ...lifecycleErrors(mapAt(container, 'lifecycle'), `${path}.lifecycle`),
    ...PROBES.flatMap((probe) =>
      container[probe] === undefined ? [] : probeErrors(mapAt(container, probe), `${path}.${probe}`, probe)
    )
  ]
}

function portErrors(ports: readonly JsonMap[], path: string): FieldError[] {
  const names = new Set<string>()
  return ports.flatMap((port, index) => {
    const at = indexPath(path, index)
    const name = textAt(port, 'name')
    const errors: FieldError[] = []
    if (name !== '') {
      const problems = portNameProblems(name)
      if (problems.length > 0) errors.push(...problems.map((problem) => invalidError(`${at}.name`, name, problem)))
      else if (names.has(name)) errors.push(duplicateError(`${at}.name`, name))
      names.add(name)
    }
    const number = port['containerPort']
    if (typeof number !== 'number' || number === 0) errors.push(requiredError(`${at}.containerPort`))
    else
      errors.push(...portNumberProblems(number).map((problem) => invalidError(`${at}.containerPort`, number, problem)))
    const hostPort = port['hostPort']
    if (typeof hostPort === 'number' && hostPort !== 0) {
      errors.push(...portNumberProblems(hostPort).map((problem) => invalidError(`${at}.hostPort`, hostPort, problem)))
    }
    return [...errors, ...enumErrors(port['protocol'], PROTOCOLS, `${at}.protocol`)]
  })
}

function environmentErrors(variables: readonly JsonMap[], path: string): FieldError[] {
  return variables.flatMap((variable, index) => {
    const at = indexPath(path, index)
    const name = textAt(variable, 'name')
    const errors =
      name === ''
        ? [requiredError(`${at}.name`)]
        : envVarNameProblems(name).map((problem) => invalidError(`${at}.name`, name, problem))
    if (variable['valueFrom'] !== undefined) errors.push(...valueSourceErrors(variable, `${at}.valueFrom`))
    return errors
  })
}

/** How many sources there are is said of the whole list. */
function environmentSourceErrors(sources: readonly JsonMap[], path: string): FieldError[] {
  return sources.flatMap((source, index) => {
    const at = indexPath(path, index)
    const prefix = textAt(source, 'prefix')
    const errors =
      prefix === '' ? [] : envVarNameProblems(prefix).map((problem) => invalidError(`${at}.prefix`, prefix, problem))
    const kinds = ['configMapRef', 'secretRef'].filter((kind) => source[kind] !== undefined)
    for (const kind of kinds) {
      const name = textAt(mapAt(source, kind), 'name')
      const place = `${at}.${kind}.name`
      if (name === '') errors.push(requiredError(place))
      else errors.push(...dns1123SubdomainProblems(name).map((problem) => invalidError(place, name, problem)))
    }
    if (kinds.length === 0) errors.push(invalidError(path, '', 'must specify one of: `configMapRef` or `secretRef`'))
    if (kinds.length > 1) errors.push(invalidError(path, '', 'may not have more than one field specified at a time'))
    return errors
  })
}

function valueSourceErrors(variable: JsonMap, path: string): FieldError[] {
  const source = mapAt(variable, 'valueFrom')
  const kinds = Object.keys(source)
  const errors: FieldError[] = []
  if (source['fieldRef'] !== undefined) errors.push(...fieldRefErrors(mapAt(source, 'fieldRef'), `${path}.fieldRef`))
  for (const kind of ['configMapKeyRef', 'secretKeyRef']) {
    if (source[kind] !== undefined && textAt(mapAt(source, kind), 'key') === '')
      errors.push(requiredError(`${path}.${kind}.key`))
  }
  if (kinds.length === 0) {
    const text =
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'
    errors.push(invalidError(path, '', text))
  } else if (textAt(variable, 'value') !== '') {
    errors.push(invalidError(path, '', 'may not be specified when `value` is not empty'))
  } else if (kinds.length > 1) {
    errors.push(invalidError(path, '', 'may not have more than one field specified at a time'))
  }
  return errors
}

function fieldRefErrors(reference: JsonMap, path: string): FieldError[] {
  const field = textAt(reference, 'fieldPath')
  if (field === '') return [requiredError(`${path}.fieldPath`)]
  if (/^metadata\.(labels|annotations)\['[^']+'\]$/.test(field) || ENV_FIELDS.has(field)) return []
  if (field === 'metadata.labels' || field === 'metadata.annotations') {
    return [notSupportedError(`${path}.fieldPath`, field, [...ENV_FIELDS].sort())]
  }
  return [invalidError(`${path}.fieldPath`, field, `error converting fieldPath: field label not supported: ${field}`)]
}

function mountErrors(mounts: readonly JsonMap[], path: string, volumes: ReadonlySet<string>): FieldError[] {
  const places = new Set<string>()
  return mounts.flatMap((mount, index) => {
    const at = indexPath(path, index)
    const name = textAt(mount, 'name')
    const place = textAt(mount, 'mountPath')
    const errors: FieldError[] = []
    if (name === '') errors.push(requiredError(`${at}.name`))
    else if (!volumes.has(name)) errors.push(notFoundError(`${at}.name`, name))
    if (place === '') errors.push(requiredError(`${at}.mountPath`))
    else if (places.has(place)) errors.push(invalidError(`${at}.mountPath`, place, 'must be unique'))
    places.add(place)
    return errors
  })
}

function resourceErrors(resources: JsonMap, path: string): FieldError[] {
  const limits = mapAt(resources, 'limits')
  const requests = mapAt(resources, 'requests')
  return [
    ...Object.entries(limits).flatMap(([name, amount]) => quantityErrors(name, amount, `${path}.limits`)),
    ...Object.entries(requests).flatMap(([name, amount]) => [
      ...quantityErrors(name, amount, `${path}.requests`),
      ...overLimitErrors(name, amount, limits[name], `${path}.requests`)
    ])
  ]
}

function quantityErrors(name: string, amount: unknown, path: string): FieldError[] {
  const at = indexPath(path, name)
  const errors = containerResourceErrors(name, at)
  const quantity = parseQuantity(amount)
  if (quantity !== undefined && quantity.nano < 0n) {
    errors.push(invalidError(at, formatQuantity(quantity), 'must be greater than or equal to 0'))
  }
  return errors
}

/**
 * Errors of the name of a resource that containers use.
 * @param name - e.g. `cpu`
 * @param path - where it is
 */
export function containerResourceErrors(name: string, path: string): FieldError[] {
  const errors = qualifiedNameProblems(name).map((problem) => invalidError(path, name, problem))
  const isStandard = name.includes('/') || CONTAINER_RESOURCES.has(name) || name.startsWith('hugepages-')
  if (errors.length > 0 || isStandard) return errors
  return [
    invalidError(path, name, 'must be a standard resource type or fully qualified'),
    invalidError(path, name, 'must be a standard resource for containers')
  ]
}

function overLimitErrors(name: string, amount: unknown, limit: unknown, path: string): FieldError[] {
  const requested: Quantity | undefined = parseQuantity(amount)
  const limited = parseQuantity(limit)
  if (requested === undefined || limited === undefined || requested.nano <= limited.nano) return []
  return [
    invalidError(
      path,
      formatQuantity(requested),
      `must be less than or equal to ${name} limit of ${formatQuantity(limited)}`
    )
  ]
}

function lifecycleErrors(lifecycle: JsonMap, path: string): FieldError[] {
  return ['postStart', 'preStop'].flatMap((hook) =>
    lifecycle[hook] === undefined ? [] : handlerErrors(mapAt(lifecycle, hook), `${path}.${hook}`)
  )
}

function probeErrors(probe: JsonMap, path: string, kind: string): FieldError[] {
  const numbers = ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold']
  const errors = [
    ...handlerErrors(probe, path),
    ...numbers.flatMap((field) => nonNegativeErrors(probe[field], `${path}.${field}`))
  ]
  const successes = probe['successThreshold']
  if (kind !== 'readinessProbe' && typeof successes === 'number' && successes !== 1) {
    errors.push(invalidError(`${path}.successThreshold`, successes, 'must be 1'))
  }
  return errors
}

function handlerErrors(handler: JsonMap, path: string): FieldError[] {
  const errors: FieldError[] = []
  let count = 0
  for (const kind of ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep']) {
    if (handler[kind] === undefined) continue
    count += 1
    const at = `${path}.${kind}`
    if (count > 1) errors.push(forbiddenError(at, 'may not specify more than 1 handler type'))
    else errors.push(...oneHandlerErrors(kind, mapAt(handler, kind), at))
  }
  if (count === 0) errors.push(requiredError(path, 'must specify a handler type'))
  return errors
}

function oneHandlerErrors(kind: string, handler: JsonMap, path: string): FieldError[] {
  if (kind === 'exec') {
    const command = handler['command']
    return Array.isArray(command) && command.length > 0 ? [] : [requiredError(`${path}.command`)]
  }
  if (kind === 'sleep') return []
  const errors = validatePortReference(handler['port'] ?? 0, `${path}.port`)
  if (kind !== 'httpGet') return errors
  if (textAt(handler, 'path') === '') errors.unshift(requiredError(`${path}.path`))
  return [...errors, ...enumErrors(handler['scheme'], ['HTTP', 'HTTPS'], `${path}.scheme`)]
}

/**
 * Validates a port given by number or name.
 * @param port - number or name
 * @param path - where it is
 */
export function validatePortReference(port: unknown, path: string): FieldError[] {
  const problems = typeof port === 'number' ? portNumberProblems(port) : portNameProblems(String(port))
  return problems.map((problem) => invalidError(path, port, problem))
}
