import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ClusterConnection, connectCluster } from '../../src/dashboard/index.ts'
import { linkerdPlan, parseLinkerd } from '../../src/model/viz/index.ts'
import { startTwinStand, type TwinStand } from './twin-stand.ts'

let stand: TwinStand
let cluster: ClusterConnection

beforeEach(async () => {
  stand = await startTwinStand()
  cluster = await connectCluster({}, stand.env)
})
afterEach(async () => {
  cluster.close()
  await stand.close()
})

async function stat(text: string): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const given = parseLinkerd(`stat ${text}`.split(' '))
  if (given.command !== 'stat') throw new Error('not stat')
  return await cluster.run(linkerdPlan(given, cluster.namespace))
}

describe('connectCluster()', () => {
  test('answers a plan from the API and the Prometheus the API tells of', async () => {
    stand.objects['/api/v1/namespaces'] = [{ metadata: { name: 'test' } }]
    stand.objects['/api/v1/pods'] = []
    stand.series.push([
      'response_total',
      [{ metric: { namespace: 'test', classification: 'success' }, value: [1, '600'] }]
    ])
    expect((await stat('ns --unmeshed')).stdout).toBe(
      'NAME   MESHED   SUCCESS       RPS   LATENCY_P50   LATENCY_P95   LATENCY_P99   TCP_CONN\n' +
        'test      0/0   100.00%   10.0rps           0ms           0ms           0ms          -\n'
    )
    expect(stand.queries).toHaveLength(4)
  })

  test('passes on what the API and Prometheus say', async () => {
    await expect(stat('deploy/nope -n test')).rejects.toThrow('namespaces "nope" not found')
    stand.objects['/apis/apps/v1/namespaces/test/deployments'] = []
    stand.objects['/apis/apps/v1/namespaces/test/replicasets'] = []
    stand.objects['/api/v1/namespaces/test/pods'] = []
    await expect(stat('deploy -n test --from deploy/broken')).rejects.toThrow(
      /^Query failed: ".*broken.*": parse error$/
    )
  })

  test('says which side does not answer', async () => {
    await cluster.check()
    await stand.stopPrometheus()
    await expect(cluster.check()).rejects.toThrow(`cannot reach Prometheus at ${stand.prometheusUrl} (ECONNREFUSED)`)
    await stand.close()
    const other = await startTwinStand()
    const late = await connectCluster({}, other.env)
    await other.close()
    await expect(late.check()).rejects.toThrow(
      `cannot reach the Kubernetes API at ${other.apiUrl}; is \`twin up\` running? (ECONNREFUSED)`
    )
    late.close()
  })

  test.each([undefined, { metadata: { name: 'linkerd-viz' } }])(
    'says that no Prometheus is known where the namespace is %j, and finds it later',
    async (namespace) => {
      const path = '/api/v1/namespaces/linkerd-viz'
      const before = stand.objects[path]
      stand.objects[path] = namespace
      await expect(cluster.check()).rejects.toThrow('does not say where its Prometheus is')
      stand.objects[path] = before
      await cluster.check()
    }
  )
})
