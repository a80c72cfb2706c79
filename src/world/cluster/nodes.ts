import { type Instant, formatTimestamp } from '../../lib/time/index.ts'
import type { ApiRequest } from '../../kinds/index.ts'

/** Names of the nodes a cluster has unless told otherwise. */
export const DEFAULT_NODES: readonly string[] = ['node-1', 'node-2']

const HEADERS = { accept: 'application/json', 'content-type': 'application/json', 'user-agent': 'kubelet/v1.36.3' }

/** Address of the n-th node (from 0). */
export function nodeAddress(index: number): string {
  return `172.18.0.${index + 2}`
}

/** Requests that register a Ready node of 8 CPUs and 16 GiB: the object, then its status. */
export function registerNode(name: string, index: number, now: Instant): readonly ApiRequest[] {
  const labels = {
    'beta.kubernetes.io/arch': 'amd64',
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': 'amd64',
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': 'linux'
  }
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name, labels } }
  const status = { status: nodeStatus(name, index, formatTimestamp(now)) }
  return [
    { method: 'POST', path: '/api/v1/nodes', headers: HEADERS, body: node },
    {
      method: 'PATCH',
      path: `/api/v1/nodes/${name}/status`,
      headers: { ...HEADERS, 'content-type': 'application/merge-patch+json' },
      body: status
    }
  ]
}

function nodeStatus(name: string, index: number, time: string): object {
  const capacity = { cpu: '8', 'ephemeral-storage': '100Gi', memory: '16Gi', pods: '110' }
  const healthy = (type: string, reason: string, message: string): object => ({
    type,
    status: type === 'Ready' ? 'True' : 'False',
    lastHeartbeatTime: time,
    lastTransitionTime: time,
    reason,
    message
  })
  return {
    capacity,
    allocatable: capacity,
    conditions: [
      healthy('MemoryPressure', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
      healthy('DiskPressure', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
      healthy('PIDPressure', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
      healthy('Ready', 'KubeletReady', 'kubelet is posting ready status')
    ],
    addresses: [
      { type: 'InternalIP', address: nodeAddress(index) },
      { type: 'Hostname', address: name }
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    nodeInfo: {
      architecture: 'amd64',
      bootID: '',
      containerRuntimeVersion: 'containerd://2.1.4',
      kernelVersion: '6.8.0',
      kubeProxyVersion: '',
      kubeletVersion: 'v1.36.3',
      machineID: '',
      operatingSystem: 'linux',
      osImage: 'rollout-twin',
      systemUUID: ''
    }
  }
}
