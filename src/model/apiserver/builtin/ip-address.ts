import { invalidError, isIpv4, isIpv6, type FieldError } from '../../../lib/apimachinery/index.ts'

/**
 * Whether a text is an IP address.
 * @param text - the text
 */
export function isAddress(text: string): boolean {
  return isIpv4(text) || isIpv6(text)
}

/**
 * Whether an address is on the loopback interface.
 * @param text - an IP address
 */
export function isLoopback(text: string): boolean {
  return text.startsWith('127.') || text === '::1'
}

const OCTETS = /^\d+(\.\d+){3}$/

function isPadded(text: string): boolean {
  return OCTETS.test(text) && text.split('.').some((octet) => octet.length > 1 && octet.startsWith('0'))
}

function withoutPadding(text: string): string {
  return OCTETS.test(text) ? text.replaceAll(/\b0+(?=\d)/g, '') : text
}

/**
 * Errors of an address in a field that once took more (apimachinery `IsValidIPForLegacyField`, strict since 1.36).
 * @param text - the address
 * @param path - where it is
 * @param kept - addresses that are stored there already
 */
export function legacyAddressErrors(text: string, path: string, kept: readonly string[]): FieldError[] {
  if (kept.includes(text)) return []
  if (!isAddress(withoutPadding(text)))
    return [invalidError(path, text, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')]
  if (isPadded(text)) return [invalidError(path, text, 'must not have leading 0s')]
  return /^::ffff:/i.test(text) ? [invalidError(path, text, 'must not be an IPv4-mapped IPv6 address')] : []
}

/**
 * Errors of an address that traffic may be sent to (core/v1 `ValidateEndpointIP`).
 * @param text - a valid address
 * @param path - where it is
 */
export function endpointAddressErrors(text: string, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (text === '0.0.0.0' || text === '::') errors.push(invalidError(path, text, `may not be unspecified (${text})`))
  if (isLoopback(text)) errors.push(invalidError(path, text, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'))
  if (/^169\.254\.|^fe[89ab][0-9a-f]:/i.test(text))
    errors.push(invalidError(path, text, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'))
  if (/^224\.0\.0\.|^ff02:/i.test(text))
    errors.push(invalidError(path, text, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'))
  return errors
}

/**
 * Errors of a range of addresses (apimachinery `IsValidCIDRForLegacyField`, strict since 1.36).
 * @param text - e.g. `10.0.0.0/8`
 * @param path - where it is
 * @param kept - ranges that are stored there already
 */
export function cidrErrors(text: string, path: string, kept: readonly string[]): FieldError[] {
  if (kept.includes(text)) return []
  const [address = '', length = '', ...more] = text.split('/')
  const plain = withoutPadding(address)
  const bits = isIpv4(plain) ? 32 : isIpv6(plain) ? 128 : -1
  if (more.length > 0 || !/^\d+$/.test(length) || Number(length) > bits)
    return [invalidError(path, text, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')]
  if (isPadded(address) || (length.length > 1 && length.startsWith('0')))
    return [invalidError(path, text, 'must not have leading 0s in IP or prefix length')]
  if (/^::ffff:/i.test(address)) return [invalidError(path, text, 'must not have an IPv4-mapped IPv6 address')]
  return hasBitsBeyond(plain, Number(length))
    ? [invalidError(path, text, 'must not have bits set beyond the prefix length')]
    : []
}

function hasBitsBeyond(address: string, length: number): boolean {
  if (!isIpv4(address)) return false
  const value = address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0)
  return value % 2 ** (32 - length) !== 0
}
