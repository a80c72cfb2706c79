import { isIpv4, isIpv6 } from '../../../lib/apimachinery/index.ts'

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
