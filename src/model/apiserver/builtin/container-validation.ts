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
import { mapAt, mapOf, mapsOf, textOf } from './draft.ts'
import { errorsOfEach, joined, NO_ERRORS, problemErrors, type Findings } from './findings.ts'
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
export function validateContainers(containers: readonly JsonMap[], path: string, volumes: readonly string[]): Findings {
  return errorsOfEach(containers, (container, index) => {
    const at = indexPath(path, index)
    const name = textOf(container['name'])
    const isRepeated = name !== '' && hasBefore(containers, index, name)
    const repeated = isRepeated ? [duplicateError(`${at}.name`, name)] : NO_ERRORS
    return joined(containerErrors(container, at, volumes), repeated)
  })
}

/** Whether an earlier item of a list has a name. */
function hasBefore(items: readonly JsonMap[], index: number, name: string): boolean {
  for (let before = 0; before < index; before++) if (items[before]?.['name'] === name) return true
  return false
}

const MESSAGE_POLICIES: readonly string[] = ['FallbackToLogsOnError', 'File']
const PULL_POLICIES: readonly string[] = ['Always', 'IfNotPresent', 'Never']
const PROBES: readonly string[] = ['livenessProbe', 'readinessProbe', 'startupProbe']

function containerErrors(container: JsonMap, path: string, volumes: readonly string[]): Findings {
  const { terminationMessagePolicy, imagePullPolicy } = container
  return joined(
    identityErrors(container, path),
    enumErrors(terminationMessagePolicy, MESSAGE_POLICIES, `${path}.terminationMessagePolicy`),
    portErrors(mapsOf(container['ports']), `${path}.ports`),
    environmentErrors(mapsOf(container['env']), `${path}.env`),
    mountErrors(mapsOf(container['volumeMounts']), `${path}.volumeMounts`, volumes),
    enumErrors(imagePullPolicy, PULL_POLICIES, `${path}.imagePullPolicy`),
    resourceErrors(mapOf(container['resources']), `${path}.resources`),
    environmentSourceErrors(mapsOf(container['envFrom']), `${path}.envFrom`),
    hookErrors(container, path)
  )
}

/** Containers that run before the others have neither hooks nor probes, unless they go on running. */
function hookErrors(container: JsonMap, path: string): Findings {
  if (container['lifecycle'] === undefined && PROBES.every((probe) => container[probe] === undefined)) return NO_ERRORS
  if (/\.initContainers\[\d+\]$/.test(path) && container['restartPolicy'] !== 'Always') {
    const text = 'may not be set for init containers without restartPolicy=Always'
    const found = ['lifecycle', ...PROBES].filter((field) => container[field] !== undefined)
    return found.map((field) => forbiddenError(`${path}.${field}`, text))
  }
  return joined(
    lifecycleErrors(mapOf(container['lifecycle']), `${path}.lifecycle`),
    errorsOfEach(PROBES, (probe) =>
      container[probe] === undefined ? NO_ERRORS : probeErrors(mapAt(container, probe), `${path}.${probe}`, probe)
    )
  )
}

function identityErrors(container: JsonMap, path: string): Findings {
  const name = textOf(container['name'])
  const image = textOf(container['image'])
  const named =
    name === '' ? [requiredError(`${path}.name`)] : problemErrors(`${path}.name`, name, dns1123LabelProblems(name))
  if (image === '') return [...named, requiredError(`${path}.image`)]
  if (image === image.trim()) return named
  return [...named, invalidError(`${path}.image`, image, 'must not have leading or trailing whitespace')]
}

function portErrors(ports: readonly JsonMap[], path: string): Findings {
  return errorsOfEach(ports, (port, index) => {
    const at = indexPath(path, index)
    const { containerPort: number, hostPort } = port
    return joined(
      portNameErrors(ports, index, `${at}.name`),
      typeof number !== 'number' || number === 0
        ? [requiredError(`${at}.containerPort`)]
        : problemErrors(`${at}.containerPort`, number, portNumberProblems(number)),
      typeof hostPort === 'number' && hostPort !== 0
        ? problemErrors(`${at}.hostPort`, hostPort, portNumberProblems(hostPort))
        : NO_ERRORS,
      enumErrors(port['protocol'], PROTOCOLS, `${at}.protocol`)
    )
  })
}

function portNameErrors(ports: readonly JsonMap[], index: number, path: string): Findings {
  const name = textOf((ports[index] ?? {})['name'])
  if (name === '') return NO_ERRORS
  const errors = problemErrors(path, name, portNameProblems(name))
  return errors.length === 0 && hasBefore(ports, index, name) ? [duplicateError(path, name)] : errors
}

function environmentErrors(variables: readonly JsonMap[], path: string): Findings {
  return errorsOfEach(variables, (variable, index) => {
    const at = indexPath(path, index)
    const name = textOf(variable['name'])
    return joined(
      name === '' ? [requiredError(`${at}.name`)] : problemErrors(`${at}.name`, name, envVarNameProblems(name)),
      variable['valueFrom'] === undefined ? NO_ERRORS : valueSourceErrors(variable, `${at}.valueFrom`)
    )
  })
}

/** How many sources there are is said of the whole list. */
function environmentSourceErrors(sources: readonly JsonMap[], path: string): Findings {
  return errorsOfEach(sources, (source, index) => {
    const at = indexPath(path, index)
    const prefix = textOf(source['prefix'])
    const errors = prefix === '' ? [] : [...problemErrors(`${at}.prefix`, prefix, envVarNameProblems(prefix))]
    const kinds = ['configMapRef', 'secretRef'].filter((kind) => source[kind] !== undefined)
    for (const kind of kinds) {
      const name = textOf(mapAt(source, kind)['name'])
      const place = `${at}.${kind}.name`
      if (name === '') errors.push(requiredError(place))
      else errors.push(...problemErrors(place, name, dns1123SubdomainProblems(name)))
    }
    if (kinds.length === 0) errors.push(invalidError(path, '', 'must specify one of: `configMapRef` or `secretRef`'))
    if (kinds.length > 1) errors.push(invalidError(path, '', 'may not have more than one field specified at a time'))
    return errors
  })
}

function valueSourceErrors(variable: JsonMap, path: string): Findings {
  const source = mapOf(variable['valueFrom'])
  const kinds = Object.keys(source)
  const errors: FieldError[] = []
  if (source['fieldRef'] !== undefined) errors.push(...fieldRefErrors(mapOf(source['fieldRef']), `${path}.fieldRef`))
  for (const kind of ['configMapKeyRef', 'secretKeyRef']) {
    if (source[kind] !== undefined && textOf(mapAt(source, kind)['key']) === '')
      errors.push(requiredError(`${path}.${kind}.key`))
  }
  if (kinds.length === 0) {
    const text =
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'
    errors.push(invalidError(path, '', text))
  } else if (textOf(variable['value']) !== '') {
    errors.push(invalidError(path, '', 'may not be specified when `value` is not empty'))
  } else if (kinds.length > 1) {
    errors.push(invalidError(path, '', 'may not have more than one field specified at a time'))
  }
  return errors
}

function fieldRefErrors(reference: JsonMap, path: string): Findings {
  const field = textOf(reference['fieldPath'])
  if (field === '') return [requiredError(`${path}.fieldPath`)]
  if (/^metadata\.(labels|annotations)\['[^']+'\]$/.test(field) || ENV_FIELDS.has(field)) return NO_ERRORS
  if (field === 'metadata.labels' || field === 'metadata.annotations') {
    return [notSupportedError(`${path}.fieldPath`, field, [...ENV_FIELDS].sort())]
  }
  return [invalidError(`${path}.fieldPath`, field, `error converting fieldPath: field label not supported: ${field}`)]
}

function mountErrors(mounts: readonly JsonMap[], path: string, volumes: readonly string[]): Findings {
  return errorsOfEach(mounts, (mount, index) => {
    const at = indexPath(path, index)
    const name = textOf(mount['name'])
    const place = textOf(mount['mountPath'])
    const errors: FieldError[] = []
    if (name === '') errors.push(requiredError(`${at}.name`))
    else if (!volumes.includes(name)) errors.push(notFoundError(`${at}.name`, name))
    if (place === '') errors.push(requiredError(`${at}.mountPath`))
    else if (mounts.findIndex((other) => other['mountPath'] === place) < index)
      errors.push(invalidError(`${at}.mountPath`, place, 'must be unique'))
    return errors
  })
}

function resourceErrors(resources: JsonMap, path: string): Findings {
  if (resources['limits'] === undefined && resources['requests'] === undefined) return NO_ERRORS
  const limits = mapOf(resources['limits'])
  const requests = mapOf(resources['requests'])
  return joined(
    errorsOfEach(Object.entries(limits), ([name, amount]) => quantityErrors(name, amount, `${path}.limits`)),
    errorsOfEach(Object.entries(requests), ([name, amount]) =>
      joined(
        quantityErrors(name, amount, `${path}.requests`),
        overLimitErrors(name, amount, limits[name], `${path}.requests`)
      )
    )
  )
}

function quantityErrors(name: string, amount: unknown, path: string): Findings {
  const at = indexPath(path, name)
  const errors = [...containerResourceErrors(name, at)]
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
export function containerResourceErrors(name: string, path: string): Findings {
  const errors = problemErrors(path, name, qualifiedNameProblems(name))
  const isStandard = name.includes('/') || CONTAINER_RESOURCES.has(name) || name.startsWith('hugepages-')
  if (errors.length > 0 || isStandard) return errors
  return [
    invalidError(path, name, 'must be a standard resource type or fully qualified'),
    invalidError(path, name, 'must be a standard resource for containers')
  ]
}

function overLimitErrors(name: string, amount: unknown, limit: unknown, path: string): Findings {
  const requested: Quantity | undefined = parseQuantity(amount)
  const limited = parseQuantity(limit)
  if (requested === undefined || limited === undefined || requested.nano <= limited.nano) return NO_ERRORS
  return [
    invalidError(
      path,
      formatQuantity(requested),
      `must be less than or equal to ${name} limit of ${formatQuantity(limited)}`
    )
  ]
}

function lifecycleErrors(lifecycle: JsonMap, path: string): Findings {
  return errorsOfEach(['postStart', 'preStop'], (hook) =>
    lifecycle[hook] === undefined ? NO_ERRORS : handlerErrors(mapAt(lifecycle, hook), `${path}.${hook}`)
  )
}

const PROBE_NUMBERS: readonly string[] = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold'
]

function probeErrors(probe: JsonMap, path: string, kind: string): Findings {
  const successes = probe['successThreshold']
  return joined(
    handlerErrors(probe, path),
    errorsOfEach(PROBE_NUMBERS, (field) => nonNegativeErrors(probe[field], `${path}.${field}`)),
    kind !== 'readinessProbe' && typeof successes === 'number' && successes !== 1
      ? [invalidError(`${path}.successThreshold`, successes, 'must be 1')]
      : NO_ERRORS
  )
}

const HANDLERS: readonly string[] = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep']

function handlerErrors(handler: JsonMap, path: string): Findings {
  const errors: FieldError[] = []
  let count = 0
  for (const kind of HANDLERS) {
    if (handler[kind] === undefined) continue
    count += 1
    const at = `${path}.${kind}`
    if (count > 1) errors.push(forbiddenError(at, 'may not specify more than 1 handler type'))
    else errors.push(...oneHandlerErrors(kind, mapAt(handler, kind), at))
  }
  if (count === 0) errors.push(requiredError(path, 'must specify a handler type'))
  return errors
}

const SCHEMES: readonly string[] = ['HTTP', 'HTTPS']

function oneHandlerErrors(kind: string, handler: JsonMap, path: string): Findings {
  if (kind === 'exec') {
    const command = handler['command']
    return Array.isArray(command) && command.length > 0 ? NO_ERRORS : [requiredError(`${path}.command`)]
  }
  if (kind === 'sleep') return NO_ERRORS
  const errors = validatePortReference(handler['port'] ?? 0, `${path}.port`)
  if (kind !== 'httpGet') return errors
  return joined(
    textOf(handler['path']) === '' ? [requiredError(`${path}.path`)] : NO_ERRORS,
    errors,
    enumErrors(handler['scheme'], SCHEMES, `${path}.scheme`)
  )
}

/**
 * Validates a port given by number or name.
 * @param port - number or name
 * @param path - where it is
 */
export function validatePortReference(port: unknown, path: string): Findings {
  return problemErrors(path, port, typeof port === 'number' ? portNumberProblems(port) : portNameProblems(String(port)))
}
