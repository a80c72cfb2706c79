import { compileCel, type CelProgram } from './cel-environment.ts'
import { celValue } from './cel-values.ts'
import { elementCorrelation } from './crd-schema-validation.ts'
import { OMITTED_VALUE, fieldPath, indexPath, type FieldError, type FieldErrorType } from './field-error.ts'
import { deepEqual, isJsonMap, ownMember } from './json.ts'
import type { CelRule, OpenApiSchema } from './openapi.ts'

const REASONS: Readonly<Record<string, FieldErrorType>> = {
  FieldValueRequired: 'FieldValueRequired',
  FieldValueInvalid: 'FieldValueInvalid',
  FieldValueForbidden: 'FieldValueForbidden',
  FieldValueDuplicate: 'FieldValueDuplicate'
}

/**
 * Runs `x-kubernetes-validations` over a value and everything below it (apiextensions 1.36 `cel.Validator`).
 * @param value - validated value
 * @param schema - structural schema
 * @param path - where the value is
 * @param old - stored value at this place, for transition rules and ratcheting; absent on create
 */
function validateRules(value: unknown, schema: OpenApiSchema, path: string, old?: unknown): FieldError[] {
  if (value === null || !hasRules(schema)) return []
  if (old !== undefined && deepEqual(value, old)) return validateUnchangedRules(value, schema, path, old)
  return validateChangedRules(value, schema, path, old)
}

/** Like {@link validateRules}, for a value that is known to differ from the stored one. */
export function validateChangedRules(value: unknown, schema: OpenApiSchema, path: string, old: unknown): FieldError[] {
  const rules = schema['x-kubernetes-validations'] ?? NONE
  const below = memberErrors(value, schema, path, old)
  if (rules.length === 0) return below
  return [...rules.flatMap((rule) => runRule(rule, { value, schema, path, old })), ...below]
}

const NONE: readonly never[] = Object.freeze([])

const WITH_RULES = new WeakMap<OpenApiSchema, boolean>()

/**
 * Whether a schema or one below it has validation rules.
 * @param schema - structural schema
 */
export function hasRules(schema: OpenApiSchema): boolean {
  const known = WITH_RULES.get(schema)
  if (known !== undefined) return known
  const found =
    (schema['x-kubernetes-validations'] ?? []).length > 0 ||
    (schema.items !== undefined && hasRules(schema.items)) ||
    (typeof schema.additionalProperties === 'object' && hasRules(schema.additionalProperties)) ||
    Object.values(schema.properties ?? {}).some(hasRules)
  WITH_RULES.set(schema, found)
  return found
}

/** An unchanged value can break no rule that ratcheting would report, and no transition rule of sense. */
export function validateUnchangedRules(
  value: unknown,
  schema: OpenApiSchema,
  path: string,
  old: unknown
): FieldError[] {
  const rules = schema['x-kubernetes-validations']?.filter((rule) => mentionsOldSelf(rule.rule)) ?? NONE
  return rules.flatMap((rule) => runRule(rule, { value, schema, path, old }))
}

function memberErrors(value: unknown, schema: OpenApiSchema, path: string, old: unknown): FieldError[] {
  if (Array.isArray(value)) {
    const { items } = schema
    if (items === undefined) return []
    const oldItem = elementCorrelation(schema, old)
    return value.flatMap((item, index) => validateRules(item, items, indexPath(path, index), oldItem(item)))
  }
  if (!isJsonMap(value)) return []
  const errors: FieldError[] = []
  const { properties, additional } = ruledMembers(schema)
  for (const name of Object.keys(value)) {
    const property = properties.get(name)
    const ruled = property === undefined ? additional : property
    if (ruled === undefined || ruled === NO_RULES) continue
    const before = isJsonMap(old) ? ownMember(old, name) : undefined
    const memberPath = property === undefined ? indexPath(path, name) : fieldPath(path, name)
    const found = validateRules(value[name], ruled, memberPath, before)
    if (found.length > 0) errors.push(...found)
  }
  return errors
}

/** Members of a schema in which there are rules. */
interface RuledMembers {
  /** Schema by name; {@link NO_RULES} for those without rules, which are no additional ones either. */
  readonly properties: ReadonlyMap<string, OpenApiSchema>
  readonly additional: OpenApiSchema | undefined
}

const NO_RULES: OpenApiSchema = Object.freeze({})
const RULED_MEMBERS = new WeakMap<OpenApiSchema, RuledMembers>()

function ruledMembers(schema: OpenApiSchema): RuledMembers {
  const known = RULED_MEMBERS.get(schema)
  if (known !== undefined) return known
  const { additionalProperties } = schema
  const isRuled = typeof additionalProperties === 'object' && hasRules(additionalProperties)
  const additional = isRuled ? additionalProperties : undefined
  const properties = new Map<string, OpenApiSchema>()
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (hasRules(property)) properties.set(name, property)
    else if (additional !== undefined) properties.set(name, NO_RULES)
  }
  const ruled: RuledMembers = { properties, additional }
  RULED_MEMBERS.set(schema, ruled)
  return ruled
}

interface RuleSubject {
  readonly value: unknown
  readonly schema: OpenApiSchema
  readonly path: string
  readonly old: unknown
}

function mentionsOldSelf(rule: string): boolean {
  return /\boldSelf\b/.test(rule)
}

function runRule(rule: CelRule, subject: RuleSubject): FieldError[] {
  const transition = mentionsOldSelf(rule.rule)
  if (transition && subject.old === undefined && rule.optionalOldSelf !== true) return []
  const variables: Record<string, unknown> = { self: celValue(subject.value, subject.schema) }
  if (transition && subject.old !== undefined) variables['oldSelf'] = celValue(subject.old, subject.schema)
  const description = rule.message?.trim() || `failed rule: ${rule.rule.trim()}`
  const outcome = evaluate(rule.rule, variables)
  if (outcome.error !== undefined) {
    const detail = `${outcome.error} evaluating rule: ${rule.message?.trim() || rule.rule.trim()}`
    return [{ type: 'FieldValueInvalid', field: subject.path, value: typeOf(subject.value), detail }]
  }
  if (outcome.value === true) return []
  const detail = messageOf(rule, variables) ?? description
  return [failedRule(rule, subject, detail)]
}

function failedRule(rule: CelRule, subject: RuleSubject, detail: string): FieldError {
  const type = (rule.reason === undefined ? undefined : REASONS[rule.reason]) ?? 'FieldValueInvalid'
  const field = rule.fieldPath === undefined ? subject.path : joinFieldPath(subject.path, rule.fieldPath)
  const scalar = typeof subject.value !== 'object'
  return { type, field, value: scalar && rule.fieldPath === undefined ? subject.value : OMITTED_VALUE, detail }
}

/** `.a.b['c']` below a path. */
function joinFieldPath(path: string, below: string): string {
  const text = below.startsWith('.') ? below.slice(1) : below
  const printed = text.replaceAll(/\['([^']*)'\]/g, '[$1]')
  return printed.startsWith('[') ? `${path}${printed}` : fieldPath(path, printed)
}

function messageOf(rule: CelRule, variables: Readonly<Record<string, unknown>>): string | undefined {
  if (rule.messageExpression === undefined) return undefined
  const { value } = evaluate(rule.messageExpression, variables)
  // A blank or failing expression gives way to the fixed message.
  return typeof value === 'string' && value.trim() !== '' && !value.includes('\n') ? value : undefined
}

function evaluate(
  expression: string,
  variables: Readonly<Record<string, unknown>>
): { value?: unknown; error?: string } {
  try {
    const program: CelProgram = compileCel(expression.trim())
    return { value: program(variables) }
  } catch (error) {
    return { error: celMessage(error) }
  }
}

/** The library's message in the words of cel-go. */
function celMessage(error: unknown): string {
  const text = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
  const missing = /^No such key: (.*)$/i.exec(text)
  if (missing !== null) return `no such key: ${missing[1] ?? ''}`
  if (text.startsWith('Invalid duration string'))
    return "type conversion error from 'string' to 'google.protobuf.Duration'"
  return text
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (isJsonMap(value)) return 'object'
  return typeof value === 'number' ? (Number.isInteger(value) ? 'integer' : 'number') : typeof value
}
