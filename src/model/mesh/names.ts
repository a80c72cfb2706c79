import { keptByText } from '../../lib/memory/index.ts'

/** What an authority (`host[:port]`) names. */
export type Authority =
  | { readonly kind: 'service'; readonly namespace: string; readonly name: string; readonly port: number }
  | { readonly kind: 'address'; readonly ip: string; readonly port: number }
  | { readonly kind: 'loopback'; readonly port: number }
  | { readonly kind: 'outside'; readonly host: string; readonly port: number }

/**
 * Reads an authority as the resolver of a pod would: short names belong to the client's namespace,
 * `name.namespace[.svc[.cluster.local[.]]]` to theirs; a missing port is 80.
 * @param exists - whether a Service of that namespace and name exists (decides between a name of ours and one outside)
 */
export function resolveAuthority(
  authority: string,
  clientNamespace: string,
  exists: (namespace: string, name: string) => boolean
): Authority {
  const read = readAuthority(authority)
  if (read.kind !== 'named') return read
  const { host, port, name, namespace = clientNamespace, suffix } = read
  const ours = suffix === undefined || suffix === 'svc' || suffix === 'svc.cluster' || suffix === 'svc.cluster.local'
  if (ours && (suffix !== undefined || exists(namespace, name))) return { kind: 'service', namespace, name, port }
  return { kind: 'outside', host, port }
}

/** What an authority says, whoever asks. */
type ReadAuthority =
  | Exclude<Authority, { readonly kind: 'service' | 'outside' }>
  | {
      readonly kind: 'named'
      readonly host: string
      readonly port: number
      readonly name: string
      readonly namespace: string | undefined
      /** What follows name and namespace; undefined: nothing does. */
      readonly suffix: string | undefined
    }

/** Most authorities that are kept. */
const AUTHORITIES_MAX = 500

/** Clients name the same few with every request. */
const readAuthority = keptByText(AUTHORITIES_MAX, (authority) => parseAuthority(splitAuthority(authority)))

function parseAuthority({ host, port }: { readonly host: string; readonly port: number }): ReadAuthority {
  if (host === 'localhost' || host === '::1' || host.startsWith('127.')) return { kind: 'loopback', port }
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host) || host.includes(':')) return { kind: 'address', ip: host, port }
  const [name = '', namespace, ...rest] = host.replace(/\.$/, '').toLowerCase().split('.')
  return { kind: 'named', host, port, name, namespace, suffix: rest.length === 0 ? undefined : rest.join('.') }
}

/** Host and port of an authority; port 80 when it has none. */
export function splitAuthority(authority: string): { readonly host: string; readonly port: number } {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(authority)
  if (bracketed !== null) return { host: bracketed[1] ?? '', port: Number(bracketed[2] ?? 80) }
  const colon = authority.lastIndexOf(':')
  if (colon === -1) return { host: authority, port: 80 }
  return { host: authority.slice(0, colon), port: Number(authority.slice(colon + 1)) || 80 }
}
