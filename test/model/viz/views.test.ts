import { describe, expect, test } from 'vitest'
import { LinkerdError, type View, viewOf } from '../../../src/model/viz/index.ts'
import { type Answers, MESHED, named, ownedBy, runPlan } from './answers.ts'

function view(path: string, answers: Answers): View {
  const plan = viewOf(path)
  if (plan === undefined) throw new Error(`no page ${path}`)
  return runPlan(plan, answers).result
}

function texts(page: View, table: number): string[][] {
  return page.tables[table]?.rows.map((row) => row.map((cell) => cell.text)) ?? []
}

const SPLIT = named('podinfo', {
  spec: {
    service: 'podinfo',
    backends: [
      { service: 'podinfo-primary', weight: '70' },
      { service: 'podinfo-canary', weight: '30' }
    ]
  }
})

const leafSeries = (leaf: string, classification: string, value: number) => ({
  labels: { dst_service: leaf, classification },
  value
})

const ANSWERS: Answers = {
  objects: {
    '/api/v1/namespaces/test': named('test'),
    '/api/v1/namespaces': [{ metadata: { name: 'test' } }],
    '/api/v1/pods': [ownedBy('web', 'web-a', MESHED)],
    '/apis/apps/v1/namespaces/test/deployments': [named('web')],
    '/apis/apps/v1/namespaces/test/replicasets': [ownedBy('web', 'web-1')],
    '/api/v1/namespaces/test/pods': [ownedBy('web-1', 'web-1-a', MESHED)],
    '/apis/split.smi-spec.io/v1alpha2/namespaces/test/trafficsplits': [SPLIT],
    '/apis/split.smi-spec.io/v1alpha2/namespaces/test/trafficsplits/podinfo': SPLIT
  },
  series: [
    [
      'by (dst_service, classification, tls)',
      [
        leafSeries('podinfo-canary', 'success', 90),
        leafSeries('podinfo-canary', 'failure', 90),
        leafSeries('podinfo-primary', 'success', 420)
      ]
    ],
    ['quantile(0.99', [{ labels: { dst_service: 'podinfo-canary' }, value: 7 }]]
  ]
}

describe('viewOf()', () => {
  test('shows a traffic split: the apex over all leaves, each leaf with its weight', () => {
    const page = view('/namespaces/test/trafficsplits/podinfo', ANSWERS)
    expect(page.heading).toBe('Traffic split test/podinfo')
    expect(page.trail.map((step) => step.href)).toEqual(['/namespaces', '/namespaces/test'])
    expect(texts(page, 0)).toEqual([['podinfo', '85.00%', '10.0rps']])
    expect(texts(page, 1)).toEqual([
      ['podinfo-canary', '30', '50.00%', '3.0rps', '0ms', '0ms', '7ms'],
      ['podinfo-primary', '70', '100.00%', '7.0rps', '0ms', '0ms', '0ms']
    ])
    expect(page.tables[1]?.rows.map((row) => [row[1]?.percent, row[2]?.tone])).toEqual([
      [30, 'bad'],
      [70, 'good']
    ])
  })

  test('shows a namespace: deployments, and traffic splits that link to their page', () => {
    const page = view('/namespaces/test', ANSWERS)
    expect(texts(page, 0)).toEqual([['web', '1/1', '-', '-', '-', '-', '-']])
    expect(page.tables[1]?.rows[0]?.[0]).toEqual({ text: 'podinfo', href: '/namespaces/test/trafficsplits/podinfo' })
  })

  test('shows all namespaces at / and /namespaces', () => {
    for (const path of ['/', '/namespaces', '/namespaces/']) {
      expect(view(path, ANSWERS).tables[0]?.rows[0]?.[0]).toEqual({ text: 'test', href: '/namespaces/test' })
    }
  })

  test.each(['/nowhere', '/namespaces/test/pods', '/namespaces/test/trafficsplits', '/namespaces/a/trafficsplits/b/c'])(
    'has no page %s',
    (path) => expect(viewOf(path)).toBeUndefined()
  )

  test('has no page for a broken escape', () => {
    expect(viewOf('/namespaces/%zz')).toBeUndefined()
    expect(viewOf('/namespaces/%ff')).toBeUndefined()
  })

  test('says 404 for what is not there', () => {
    for (const path of ['/namespaces/nope', '/namespaces/test/trafficsplits/nope']) {
      expect(() => view(path, ANSWERS)).toThrow(expect.objectContaining({ status: 404, name: LinkerdError.name }))
    }
  })
})
