import {
  duplicateError,
  indexPath,
  invalidError,
  isIpv6,
  notSupportedError,
  requiredError,
  type FieldError,
  type JsonMap
} from '../../../lib/apimachinery/index.ts'
import { textOf } from './draft.ts'
import { legacyAddressErrors } from './ip-address.ts'
import { isHeadless, textsAt } from './service-shapes.ts'

const ADDRESSES = 'spec.clusterIPs'
const FAMILIES: readonly string[] = ['IPv4', 'IPv6']
const FAMILY_POLICIES: readonly string[] = ['PreferDualStack', 'RequireDualStack', 'SingleStack']

/**
 * Cluster IPs and their families among themselves (core/v1 `ValidateServiceClusterIPsRelatedFields`): the list and the single field
 * must agree, so that a copy of a Service which clears only `clusterIP` is refused here.
 * @param spec - of the Service
 * @param before - stored spec: what it holds stays valid
 */
export function serviceAddressErrors(spec: JsonMap, before: JsonMap | undefined): FieldError[] {
  if (textOf(spec['type']) === 'ExternalName') return []
  const list = textsAt(spec, 'clusterIPs')
  const errors = [...agreementErrors(spec, list), ...familyErrors(spec)]
  const single = list.flatMap((address, index) => {
    if (index === 0 && address === 'None')
      return list.length > 1 ? [invalidError(ADDRESSES, list, "'None' must be the first and only value")] : []
    return legacyAddressErrors(
      address,
      indexPath(ADDRESSES, index),
      before === undefined ? [] : textsAt(before, 'clusterIPs')
    )
  })
  errors.push(...single)
  if (list.length > 2) errors.push(invalidError(ADDRESSES, list, 'may only hold up to 2 values'))
  // Bad addresses would skew what follows.
  if (single.length > 0) return errors
  if (list.length > 1 && !isDualStack(list))
    errors.push(invalidError(ADDRESSES, list, 'may specify no more than one IP for each IP family'))
  return [...errors, ...matchErrors(spec, list)]
}

function agreementErrors(spec: JsonMap, list: readonly string[]): FieldError[] {
  const single = textOf(spec['clusterIP'])
  if (single === '') {
    const text = 'must be empty when `clusterIP` is not specified'
    return list.length === 0 ? [] : [invalidError(ADDRESSES, list, text)]
  }
  if (list.length === 0) return [requiredError(ADDRESSES)]
  return list[0] === single ? [] : [invalidError(ADDRESSES, list, 'first value must match `clusterIP`')]
}

function familyErrors(spec: JsonMap): FieldError[] {
  const families = textsAt(spec, 'ipFamilies')
  const errors = families.flatMap((family, index) => {
    const at = indexPath('spec.ipFamilies', index)
    const found = FAMILIES.includes(family) ? [] : [notSupportedError(at, family, FAMILIES)]
    return families.indexOf(family) < index ? [...found, duplicateError(at, family)] : found
  })
  const policy = spec['ipFamilyPolicy']
  if (policy === undefined || FAMILY_POLICIES.includes(String(policy))) return errors
  return [...errors, notSupportedError('spec.ipFamilyPolicy', policy, FAMILY_POLICIES)]
}

function isDualStack(list: readonly string[]): boolean {
  return list.some((address) => isIpv6(address)) && list.some((address) => !isIpv6(address))
}

function matchErrors(spec: JsonMap, list: readonly string[]): FieldError[] {
  const families = textsAt(spec, 'ipFamilies')
  if (isHeadless(spec)) return []
  return list.slice(0, families.length).flatMap((address, index) => {
    const family = families[index]
    const actual = isIpv6(address) ? 'IPv6' : 'IPv4'
    if (family === actual || (family !== 'IPv4' && family !== 'IPv6')) return []
    const text = `expected an ${family} value as indicated by \`ipFamilies[${index}]\``
    return [invalidError(indexPath(ADDRESSES, index), address, text)]
  })
}

function isExternal(spec: JsonMap): boolean {
  return textOf(spec['type']) === 'ExternalName'
}

/** Unset lists print as null. */
function printed(spec: JsonMap, field: string): readonly string[] | null {
  return Array.isArray(spec[field]) ? textsAt(spec, field) : null
}

/**
 * Addresses are chosen once; only a Service that becomes an ExternalName gives them up.
 * @param spec - of the update
 * @param before - stored
 */
export function addressChangeErrors(spec: JsonMap, before: JsonMap): FieldError[] {
  if (isExternal(spec) || isExternal(before) || (isHeadless(spec) && isHeadless(before))) return []
  const next = textsAt(spec, 'clusterIPs')
  const old = textsAt(before, 'clusterIPs')
  const value = printed(spec, 'clusterIPs')
  const changed = (index: number): FieldError =>
    invalidError(indexPath(ADDRESSES, index), value, 'may not change once set')
  if (next.length === old.length)
    return old.flatMap((address, index) => (address === next[index] ? [] : [changed(index)]))
  const errors: FieldError[] = []
  if (next.length === 0) errors.push(invalidError(`${ADDRESSES}[0]`, value, 'primary clusterIP can not be unset'))
  else if (old.length > 0 && next[0] !== old[0]) errors.push(changed(0))
  const released = next.length < old.length && next.length === 1 && spec['ipFamilyPolicy'] !== 'SingleStack'
  if (!released) return errors
  const text = "must be set to 'SingleStack' when releasing the secondary clusterIP"
  return [...errors, invalidError('spec.ipFamilyPolicy', spec['ipFamilyPolicy'], text)]
}

/**
 * The first family is chosen once, too.
 * @param spec - of the update
 * @param before - stored
 */
export function familyChangeErrors(spec: JsonMap, before: JsonMap): FieldError[] {
  if (isExternal(spec) || isExternal(before) || isHeadless(spec) || isHeadless(before)) return []
  const next = textsAt(spec, 'ipFamilies')
  const old = textsAt(before, 'ipFamilies')
  const path = 'spec.ipFamilies[0]'
  const unchangeable = 'may not change once set'
  if (next.length === old.length) {
    const value = printed(spec, 'ipFamilies')
    return old.flatMap((family, index) => (family === next[index] ? [] : [invalidError(path, value, unchangeable)]))
  }
  if (next.length === 0 || old.length === 0 || next[0] === old[0]) return []
  return [invalidError(path, printed(spec, 'clusterIPs'), unchangeable)]
}
