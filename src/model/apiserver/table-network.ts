import type { KubeObject } from '../../kinds/index.ts'
import { AGE, NAME, specOf, statusOf } from './table-shared.ts'
import { fieldsOf, labelsText, recordsOf, selectorText, textOf, type TableColumn } from './table-column.ts'

const SERVICE_SPEC = 'io.k8s.api.core.v1.ServiceSpec'

function loadBalancerAddresses(object: KubeObject): string {
  const ingress = recordsOf(fieldsOf(statusOf(object)['loadBalancer'])['ingress'])
  return ingress
    .map((one) => textOf(one['ip']) || textOf(one['hostname']))
    .filter((one) => one !== '')
    .join(',')
}

function externalIp(object: KubeObject): string {
  const spec = specOf(object)
  const own = Array.isArray(spec['externalIPs']) ? spec['externalIPs'].map(String) : []
  switch (spec['type']) {
    case 'LoadBalancer': {
      const all = [loadBalancerAddresses(object), ...own].filter((one) => one !== '')
      return all.length === 0 ? '<pending>' : all.join(',')
    }
    case 'ExternalName':
      return textOf(spec['externalName'])
    default:
      return own.length === 0 ? '<none>' : own.join(',')
  }
}

function servicePorts(object: KubeObject): string {
  const ports = recordsOf(specOf(object)['ports'])
  if (ports.length === 0) return '<none>'
  return ports
    .map(
      (port) =>
        `${String(port['port'])}${port['nodePort'] === undefined ? '' : `:${String(port['nodePort'])}`}/${textOf(port['protocol']) || 'TCP'}`
    )
    .join(',')
}

const SERVICES: readonly TableColumn[] = [
  NAME,
  { name: 'Type', description: [SERVICE_SPEC, 'type'], cell: (object) => textOf(specOf(object)['type']) },
  {
    name: 'Cluster-IP',
    description: [SERVICE_SPEC, 'clusterIP'],
    cell: (object) => textOf(specOf(object)['clusterIP']) || '<none>'
  },
  { name: 'External-IP', description: [SERVICE_SPEC, 'externalIPs'], cell: externalIp },
  { name: 'Port(s)', description: [SERVICE_SPEC, 'ports'], cell: servicePorts },
  AGE,
  {
    name: 'Selector',
    priority: 1,
    description: [SERVICE_SPEC, 'selector'],
    cell: (object) => labelsText(specOf(object)['selector'])
  }
]

const SHOWN_ENDPOINTS = 3

function endpointsText(object: KubeObject): string {
  const subsets = recordsOf(object['subsets'])
  const all: string[] = []
  for (const subset of subsets) {
    const ports = recordsOf(subset['ports'])
    for (const address of recordsOf(subset['addresses'])) {
      const ip = textOf(address['ip'])
      if (ports.length === 0) all.push(ip)
      else for (const port of ports) all.push(`${ip}:${String(port['port'])}`)
    }
  }
  if (all.length === 0) return '<none>'
  const more = all.length > SHOWN_ENDPOINTS ? ` + ${all.length - SHOWN_ENDPOINTS} more...` : ''
  return all.slice(0, SHOWN_ENDPOINTS).join(',') + more
}

const ENDPOINTS: readonly TableColumn[] = [NAME, { name: 'Endpoints', cell: endpointsText }, AGE]

const SHOWN_PORTS = 3

function limited(items: readonly string[], shown: number, empty: string): string {
  if (items.length === 0) return empty
  const more = items.length > shown ? ` + ${items.length - shown} more...` : ''
  return items.slice(0, shown).join(',') + more
}

const ENDPOINT_SLICES: readonly TableColumn[] = [
  NAME,
  { name: 'AddressType', cell: (object) => textOf(object['addressType']) },
  {
    name: 'Ports',
    cell: (object) => {
      const ports = recordsOf(object['ports']).map((port) =>
        port['port'] === undefined ? textOf(port['name']) || '*' : String(port['port'])
      )
      return limited(ports, SHOWN_PORTS, '<unset>')
    }
  },
  {
    name: 'Endpoints',
    cell: (object) => {
      const all = recordsOf(object['endpoints']).flatMap((one) =>
        Array.isArray(one['addresses']) ? one['addresses'].map(String) : []
      )
      return limited(all, SHOWN_ENDPOINTS, '<unset>')
    }
  },
  AGE
]

const INGRESSES: readonly TableColumn[] = [
  NAME,
  {
    name: 'Class',
    cell: (object) => textOf(specOf(object)['ingressClassName']) || '<none>'
  },
  {
    name: 'Hosts',
    cell: (object) => {
      const hosts = recordsOf(specOf(object)['rules'])
        .map((rule) => textOf(rule['host']))
        .filter((host) => host !== '')
      return limited(hosts, 3, '*')
    }
  },
  { name: 'Address', cell: loadBalancerAddresses },
  { name: 'Ports', cell: (object) => (recordsOf(specOf(object)['tls']).length > 0 ? '80, 443' : '80') },
  AGE
]

const INGRESS_CLASSES: readonly TableColumn[] = [
  NAME,
  { name: 'Controller', cell: (object) => textOf(specOf(object)['controller']) },
  {
    name: 'Parameters',
    cell: (object) => {
      const parameters = fieldsOf(specOf(object)['parameters'])
      if (parameters['kind'] === undefined) return '<none>'
      const group = textOf(parameters['apiGroup'])
      return `${textOf(parameters['kind'])}${group === '' ? '' : `.${group}`}/${textOf(parameters['name'])}`
    }
  },
  AGE
]

const NETWORK_POLICIES: readonly TableColumn[] = [
  NAME,
  { name: 'Pod-Selector', cell: (object) => selectorText(specOf(object)['podSelector']) },
  AGE
]

/** Columns of services, endpoints and routes. */
export const NETWORK_TABLES: Readonly<Record<string, readonly TableColumn[]>> = {
  '/services': SERVICES,
  '/endpoints': ENDPOINTS,
  'discovery.k8s.io/endpointslices': ENDPOINT_SLICES,
  'networking.k8s.io/ingresses': INGRESSES,
  'networking.k8s.io/ingressclasses': INGRESS_CLASSES,
  'networking.k8s.io/networkpolicies': NETWORK_POLICIES
}
