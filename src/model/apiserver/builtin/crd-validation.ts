import {
  SoundValues,
  deepEqual,
  defaultBySchema,
  dns1035LabelProblems,
  dns1123SubdomainProblems,
  forbiddenError,
  indexPath,
  invalidError,
  isJsonMap,
  notSupportedError,
  pruneBySchema,
  requiredError,
  validateAgainstSchema,
  type FieldError,
  type JsonMap,
  type OpenApiSchema
} from '../../../lib/apimachinery/index.ts'
import { mapOf, mapsAt, mapsOf, textAt, textOf } from './draft.ts'
import { immutableErrors } from './meta-validation.ts'
import { internalValue } from './pod-spec-text.ts'

const COLUMN_TYPES: readonly string[] = ['boolean', 'date', 'integer', 'number', 'string']
const SCHEMA_TYPES: readonly string[] = ['array', 'boolean', 'integer', 'number', 'object', 'string']
const APPROVAL = 'api-approved.kubernetes.io'

/**
 * Validates a CustomResourceDefinition (apiextensions 1.36).
 * @param object - CustomResourceDefinition, defaulted
 * @param old - stored on update
 */
export function validateCrd(object: JsonMap, old?: JsonMap): FieldError[] {
  const spec = mapOf(object['spec'])
  const versions = mapsOf(spec['versions'])
  const errors: FieldError[] = []
  const name = textOf(mapOf(object['metadata'])['name'])
  const expected = `${textOf(mapOf(spec['names'])['plural'])}.${textOf(spec['group'])}`
  if (old === undefined && name !== expected)
    errors.push(invalidError('metadata.name', name, `must be spec.names.plural+"."+spec.group`))
  errors.push(
    ...groupErrors(spec),
    ...scopeErrors(spec),
    ...versionErrors(versions),
    ...namesErrors(mapOf(spec['names']))
  )
  errors.push(...approvalErrors(object, spec))
  errors.push(...storedVersionErrors(object, versions))
  const shared = sameEverywhere(versions)
  for (const [index, version] of versions.entries()) {
    const at = shared ? 'spec' : indexPath('spec.versions', index)
    if (shared && index > 0) break
    errors.push(...SOUND_VERSIONS.findings(version, () => versionContentErrors(version, at, shared)))
  }
  return old === undefined ? errors : [...errors, ...updateErrors(object, old)]
}

/** Schemas, columns and sub-resources that are alike in every version live at the top internally, and errors say so. */
function sameEverywhere(versions: readonly JsonMap[]): boolean {
  const [first, ...others] = versions
  if (first === undefined) return false
  return others.every((other) => SHARED_CONTENT.every((field) => deepEqual(first[field] ?? null, other[field] ?? null)))
}

const SHARED_CONTENT = ['subresources', 'additionalPrinterColumns', 'schema'] as const

/** Versions whose schema, columns and sub-resources are in order, wherever they stand. */
const SOUND_VERSIONS = new SoundValues()

function groupErrors(spec: JsonMap): FieldError[] {
  const group = textOf(spec['group'])
  if (group === '') return [requiredError('spec.group')]
  const problems = dns1123SubdomainProblems(group)
  if (problems.length > 0) return problems.map((problem) => invalidError('spec.group', group, problem))
  return group.includes('.') ? [] : [invalidError('spec.group', group, 'should be a domain with at least one dot')]
}

function scopeErrors(spec: JsonMap): FieldError[] {
  const scope = textOf(spec['scope'])
  if (scope === '') return [requiredError('spec.scope')]
  return scope === 'Cluster' || scope === 'Namespaced'
    ? []
    : [notSupportedError('spec.scope', scope, ['Cluster', 'Namespaced'])]
}

function versionErrors(versions: readonly JsonMap[]): FieldError[] {
  const errors: FieldError[] = []
  const first = textOf((versions[0] ?? {})['name'])
  const names = new Set<string>()
  for (const [index, version] of versions.entries()) {
    const name = textOf(version['name'])
    const at = `${indexPath('spec.versions', index)}.name`
    errors.push(...dns1035LabelProblems(name).map((problem) => invalidError(at, name, problem)))
    if (index === 0 && first !== '')
      errors.push(...dns1035LabelProblems(first).map((problem) => invalidError('spec.version', first, problem)))
    if (names.has(name))
      errors.push(invalidError('spec.versions', internalVersions(versions), 'must contain unique version names'))
    names.add(name)
  }
  const stored = versions.filter((version) => version['storage'] === true).length
  if (stored !== 1) {
    errors.push(
      invalidError(
        'spec.versions',
        internalVersions(versions),
        'must have exactly one version marked as storage version'
      )
    )
  }
  return errors
}

function storedVersionErrors(object: JsonMap, versions: readonly JsonMap[]): FieldError[] {
  const path = 'status.storedVersions'
  const stored = mapOf(object['status'])['storedVersions']
  const list = Array.isArray(stored) ? stored.map(String) : []
  if (list.length === 0) return [invalidError(path, null, 'must have at least one stored version')]
  const current = textOf((versions.findLast((version) => version['storage'] === true) ?? {})['name'])
  return list.includes(current) ? [] : [invalidError(path, list, `must have the storage version ${current}`)]
}

function internalVersions(versions: readonly JsonMap[]): unknown {
  return internalValue('CrdVersion', versions)
}

function namesErrors(names: JsonMap): FieldError[] {
  const errors: FieldError[] = []
  const check = (field: string, mixed: boolean): void => {
    const value = textAt(names, field)
    const at = `spec.names.${field}`
    if (value === '') {
      errors.push(requiredError(at))
      return
    }
    const problems = dns1035LabelProblems(mixed ? value.toLowerCase() : value)
    const prefix = mixed ? 'may have mixed case, but should otherwise match: ' : ''
    errors.push(...problems.map((problem) => invalidError(at, value, `${prefix}${problem}`)))
  }
  check('plural', false)
  check('singular', false)
  check('kind', true)
  check('listKind', true)
  for (const list of ['shortNames', 'categories']) {
    const values = Array.isArray(names[list]) ? names[list].map(String) : []
    for (const [index, value] of values.entries()) {
      const at = indexPath(`spec.names.${list}`, index)
      errors.push(...dns1035LabelProblems(value).map((problem) => invalidError(at, value, problem)))
    }
  }
  if (textOf(names['kind']) !== '' && textOf(names['kind']) === textOf(names['listKind'])) {
    errors.push(invalidError('spec.names.listKind', textOf(names['listKind']), 'kind and listKind may not be the same'))
  }
  return errors
}

function approvalErrors(object: JsonMap, spec: JsonMap): FieldError[] {
  const group = textOf(spec['group'])
  if (!/(^|\.)(k8s|kubernetes)\.io$/.test(group)) return []
  const annotation = textAt(mapOf(mapOf(object['metadata'])['annotations']), APPROVAL)
  if (annotation !== '') return []
  const text = `protected groups must have approval annotation "${APPROVAL}", see https://github.com/kubernetes/enhancements/pull/1111`
  return [requiredError(`metadata.annotations[${APPROVAL}]`, text)]
}

function versionContentErrors(version: JsonMap, path: string, shared: boolean): FieldError[] {
  const found = mapOf(version['schema'])['openAPIV3Schema']
  const schemaPath = shared ? 'spec.validation.openAPIV3Schema' : `${path}.schema.openAPIV3Schema`
  const errors = isJsonMap(found)
    ? rootSchemaErrors(found, schemaPath)
    : [requiredError(shared ? 'spec.versions[0].schema.openAPIV3Schema' : schemaPath)]
  for (const [index, column] of mapsOf(version['additionalPrinterColumns']).entries()) {
    errors.push(...columnErrors(column, indexPath(`${path}.additionalPrinterColumns`, index)))
  }
  const scale = mapOf(version['subresources'])['scale']
  if (isJsonMap(scale)) errors.push(...scaleErrors(scale, `${path}.subresources.scale`))
  return errors
}

function columnErrors(column: JsonMap, path: string): FieldError[] {
  const errors: FieldError[] = []
  const type = textOf(column['type'])
  if (textOf(column['name']) === '') errors.push(requiredError(`${path}.name`))
  if (type === '') errors.push(requiredError(`${path}.type`, `must be one of ${COLUMN_TYPES.join(',')}`))
  else if (!COLUMN_TYPES.includes(type))
    errors.push(invalidError(`${path}.type`, type, `must be one of ${COLUMN_TYPES.join(',')}`))
  const jsonPath = textOf(column['jsonPath'])
  if (jsonPath === '') errors.push(requiredError(`${path}.JSONPath`))
  else if (!jsonPath.startsWith('.'))
    errors.push(invalidError(`${path}.JSONPath`, jsonPath, 'must be a simple json path starting with .'))
  return errors
}

function scaleErrors(scale: JsonMap, path: string): FieldError[] {
  return [
    ['specReplicasPath', '.spec'],
    ['statusReplicasPath', '.status'],
    ['labelSelectorPath', '']
  ].flatMap(([field = '', parent = '']) => {
    const value = textAt(scale, field)
    if (value === '') return field === 'labelSelectorPath' ? [] : [requiredError(`${path}.${field}`)]
    if (!value.startsWith('.'))
      return [invalidError(`${path}.${field}`, value, 'must be a simple json path starting with .')]
    return parent === '' || value.startsWith(`${parent}.`)
      ? []
      : [invalidError(`${path}.${field}`, value, `should be a json path under ${parent}`)]
  })
}

function rootSchemaErrors(schema: JsonMap, path: string): FieldError[] {
  const errors: FieldError[] = []
  const type = textOf(schema['type'])
  if (type === '') errors.push(requiredError(`${path}.type`, 'must not be empty at the root'))
  else if (type !== 'object') errors.push(invalidError(`${path}.type`, type, 'must be object at the root'))
  const metadata = mapOf(schema['properties'])['metadata']
  if (isJsonMap(metadata)) {
    const allowed = new Set(['type', 'description', 'properties'])
    const inner = Object.keys(mapOf(metadata['properties']))
    const isOdd =
      Object.keys(metadata).some((key) => !allowed.has(key)) ||
      inner.some((key) => key !== 'name' && key !== 'generateName')
    if (isOdd) {
      const text = 'must not specify anything other than name and generateName, but metadata is implicitly specified'
      errors.push(forbiddenError(`${path}.properties[metadata]`, text))
    }
  }
  return type === '' ? errors : [...errors, ...schemaErrors(schema, path, true)]
}

/** Structural rules for one schema and those below it. */
function schemaErrors(schema: JsonMap, path: string, isRoot: boolean): FieldError[] {
  const errors = [...typeErrors(schema, path, isRoot), ...extensionErrors(schema, path), ...defaultErrors(schema, path)]
  for (const [name, property] of Object.entries(mapOf(schema['properties']))) {
    if (isJsonMap(property) && !(isRoot && name === 'metadata'))
      errors.push(...schemaErrors(property, `${path}.properties[${name}]`, false))
  }
  if (isJsonMap(schema['items'])) errors.push(...schemaErrors(schema['items'], `${path}.items`, false))
  const additional = schema['additionalProperties']
  if (isJsonMap(additional)) errors.push(...schemaErrors(additional, `${path}.additionalProperties`, false))
  for (const combination of ['allOf', 'anyOf', 'oneOf']) {
    for (const [index, part] of mapsAt(schema, combination).entries()) {
      if (schema['x-kubernetes-int-or-string'] === true) continue
      errors.push(...looseErrors(part, `${path}.${combination}[${index}]`))
    }
  }
  if (isJsonMap(schema['not'])) errors.push(...looseErrors(schema['not'], `${path}.not`))
  return errors
}

function typeErrors(schema: JsonMap, path: string, isRoot: boolean): FieldError[] {
  const type = textOf(schema['type'])
  const isFree =
    schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true
  if (type === '')
    return isRoot || isFree ? [] : [requiredError(`${path}.type`, 'must not be empty for specified object fields')]
  if (!SCHEMA_TYPES.includes(type)) return [notSupportedError(`${path}.type`, type, SCHEMA_TYPES)]
  return type === 'array' && schema['items'] === undefined ? [requiredError(`${path}.items`, 'must be specified')] : []
}

function extensionErrors(schema: JsonMap, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (
    schema['properties'] !== undefined &&
    schema['additionalProperties'] !== undefined &&
    schema['additionalProperties'] !== false
  ) {
    errors.push(
      forbiddenError(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive')
    )
  }
  if (schema['uniqueItems'] === true) {
    errors.push(
      forbiddenError(
        `${path}.uniqueItems`,
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'
      )
    )
  }
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
    errors.push(invalidError(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'))
  }
  const pattern = textOf(schema['pattern'])
  const problem = pattern === '' ? undefined : patternProblem(pattern)
  if (problem !== undefined) {
    errors.push(
      invalidError(
        `${path}.pattern`,
        pattern,
        `must be a valid regular expression, but isn't: error parsing regexp: ${problem}`
      )
    )
  }
  for (const [index, rule] of mapsOf(schema['x-kubernetes-validations']).entries()) {
    if (textOf(rule['rule']).trim() === '')
      errors.push(requiredError(`${path}.x-kubernetes-validations[${index}].rule`, 'rule is not specified'))
  }
  return [...errors, ...listTypeErrors(schema, path)]
}

function listTypeErrors(schema: JsonMap, path: string): FieldError[] {
  if (schema['x-kubernetes-list-type'] !== 'map') return []
  const keys = Array.isArray(schema['x-kubernetes-list-map-keys'])
    ? schema['x-kubernetes-list-map-keys'].map(String)
    : []
  if (keys.length === 0)
    return [requiredError(`${path}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map')]
  const items = mapOf(schema['items'])
  const required = Array.isArray(items['required']) ? items['required'].map(String) : []
  return keys.flatMap((key) => {
    const property = mapOf(items['properties'])[key]
    if (!isJsonMap(property))
      return [invalidError(`${path}.x-kubernetes-list-map-keys`, key, 'entries must all be names of item properties')]
    if (required.includes(key) || property['default'] !== undefined) return []
    const text = 'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property'
    return [requiredError(`${path}.items.properties[${key}].default`, text)]
  })
}

function patternProblem(pattern: string): string | undefined {
  try {
    return new RegExp(pattern).source === '' ? '``' : undefined
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    if (/Unterminated group/.test(error.message)) return `missing closing ): \`${pattern}\``
    if (/Unterminated character class/.test(error.message)) return `missing closing ]: \`${pattern}\``
    return /Nothing to repeat/.test(error.message)
      ? `missing argument to repetition operator: \`${pattern}\``
      : `\`${pattern}\``
  }
}

function defaultErrors(schema: JsonMap, path: string): FieldError[] {
  if (schema['default'] === undefined) return []
  const plain = schema as OpenApiSchema
  const pruned = pruneBySchema(schema['default'], plain, false)
  if (pruned.unknownFields.length > 0) {
    return [invalidError(`${path}.default`, schema['default'], 'must not have unknown fields')]
  }
  return validateAgainstSchema(defaultBySchema(schema['default'], plain), { ...plain, default: undefined }, '').map(
    (error) => ({
      ...error,
      field: `${path}.default${error.field === '' ? '' : `.${error.field}`}`
    })
  )
}

/** Inside allOf, anyOf, oneOf and not only values are restricted, never structure. */
function looseErrors(schema: JsonMap, path: string): FieldError[] {
  const errors: FieldError[] = []
  for (const field of ['type', 'default', 'additionalProperties', 'nullable', 'description', 'title']) {
    if (schema[field] !== undefined) errors.push(forbiddenError(`${path}.${field}`, 'must be empty to be structural'))
  }
  for (const [name, property] of Object.entries(mapOf(schema['properties']))) {
    if (isJsonMap(property)) errors.push(...looseErrors(property, `${path}.properties[${name}]`))
  }
  if (isJsonMap(schema['items'])) errors.push(...looseErrors(schema['items'], `${path}.items`))
  return errors
}

function updateErrors(object: JsonMap, old: JsonMap): FieldError[] {
  const spec = mapOf(object['spec'])
  const before = mapOf(old['spec'])
  const errors = [
    ...immutableErrors(spec['group'], before['group'], 'spec.group'),
    ...immutableErrors(spec['scope'], before['scope'], 'spec.scope'),
    ...immutableErrors(mapOf(spec['names'])['kind'], mapOf(before['names'])['kind'], 'spec.names.kind'),
    ...immutableErrors(mapOf(spec['names'])['plural'], mapOf(before['names'])['plural'], 'spec.names.plural')
  ]
  const names = new Set(mapsOf(spec['versions']).map((version) => textOf(version['name'])))
  const stored = mapOf(old['status'])['storedVersions']
  for (const [index, version] of (Array.isArray(stored) ? stored.map(String) : []).entries()) {
    if (names.has(version)) continue
    const text = `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`
    errors.push(invalidError(`status.storedVersions[${index}]`, version, text))
  }
  return errors
}
