import { describe, expect, it } from 'vitest'
import { classify, hopDelay, ProxyMetrics, resolveAuthority } from '../../../src/model/mesh/index.ts'

describe('ProxyMetrics', () => {
  const labels = [['direction', 'inbound']] as const

  it('prints all 26 buckets at the first observation, whole milliseconds truncated', () => {
    const metrics = new ProxyMetrics()
    metrics.target(labels, 0).latency(200, 5.9, 0)
    const lines = metrics.render(0).split('\n')
    expect(lines.filter((line) => line.startsWith('response_latency_ms_bucket'))).toHaveLength(26)
    expect(lines).toContain('response_latency_ms_bucket{direction="inbound",status_code="200",le="5"} 1')
    expect(lines).toContain('response_latency_ms_sum{direction="inbound",status_code="200"} 5')
  })

  it('shows an idle target once more, then drops it, and starts it again at zero', () => {
    const metrics = new ProxyMetrics({ retainIdleMs: 2000 })
    metrics.target(labels, 0).request(0, 3)
    expect(metrics.render(2001)).toContain('request_total{direction="inbound"} 3')
    expect(metrics.render(2002)).toBe('')
    metrics.target(labels, 3000).request(3000)
    expect(metrics.render(3000)).toContain('request_total{direction="inbound"} 1')
  })
})

describe('classify', () => {
  it.each([
    [499, false, undefined, true],
    [500, false, undefined, false],
    [600, false, undefined, true],
    [500, true, undefined, true],
    [200, true, '13', false],
    [200, true, '5', true],
    [200, true, '17', false]
  ])('%i grpc %s status %s succeeds: %s', (status, grpc, grpcStatus, success) => {
    expect(classify(status, grpc, grpcStatus).success).toBe(success)
  })
})

describe('resolveAuthority', () => {
  const exists = (namespace: string, name: string): boolean => `${namespace}/${name}` === 'test/podinfo'

  it.each([
    ['podinfo:9898', 'test', { kind: 'service', namespace: 'test', name: 'podinfo', port: 9898 }],
    ['podinfo.test:9898', 'load', { kind: 'service', namespace: 'test', name: 'podinfo', port: 9898 }],
    ['podinfo.test.svc.cluster.local', 'load', { kind: 'service', namespace: 'test', name: 'podinfo', port: 80 }],
    ['podinfo:9898', 'load', { kind: 'outside', host: 'podinfo', port: 9898 }],
    ['hooks.slack.com:443', 'load', { kind: 'outside', host: 'hooks.slack.com', port: 443 }],
    ['10.1.0.1:4191', 'load', { kind: 'address', ip: '10.1.0.1', port: 4191 }],
    ['localhost:8080', 'load', { kind: 'loopback', port: 8080 }]
  ])('reads %s from %s', (authority, namespace, expected) => {
    expect(resolveAuthority(authority, namespace, exists)).toEqual(expected)
  })
})

describe('hopDelay', () => {
  it('has the median and tail of the measured proxies', () => {
    const both = Array.from(
      { length: 4000 },
      (_none, index) => hopDelay(1, 'a', `k${index}`) + hopDelay(1, 'b', `k${index}`)
    ).toSorted((a, b) => a - b)
    expect(both[2000]).toBeGreaterThan(0.45)
    expect(both[2000]).toBeLessThan(0.62)
    expect(both[3960]).toBeGreaterThan(0.9)
    expect(both[3960]).toBeLessThan(1.5)
  })
})
