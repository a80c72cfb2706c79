import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { readKubeAccess } from '../../src/dashboard/kubeconfig.ts'

const folder = mkdtempSync(join(tmpdir(), 'twin-kubeconfig-'))

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

function file(name: string, content: string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const ONE = file(
  'one',
  JSON.stringify({
    'current-context': 'twin',
    clusters: [{ name: 'twin', cluster: { server: 'https://127.0.0.1:1', 'certificate-authority-data': 'Q0E=' } }],
    users: [{ name: 'twin', user: { token: 'secret' } }],
    contexts: [{ name: 'twin', context: { cluster: 'twin', user: 'twin' } }]
  })
)

file('ca.pem', 'PEM of an authority')
const TWO = file(
  'two',
  `current-context: other
clusters:
- { name: far, cluster: { server: 'https://far:6443', certificate-authority: ca.pem } }
- { name: open, cluster: { server: 'https://open:6443', insecure-skip-tls-verify: true } }
users:
- { name: me, user: { client-certificate-data: Q0VSVA==, client-key-data: S0VZ } }
- { name: cloud, user: { exec: { command: login } } }
contexts:
- { name: other, context: { cluster: far, user: me, namespace: shop } }
- { name: open, context: { cluster: open } }
- { name: cloud, context: { cluster: far, user: cloud } }
- { name: lost, context: { cluster: gone, user: me } }
`
)

describe('readKubeAccess()', () => {
  test("reads the twin's own file by $KUBECONFIG", async () => {
    expect(await readKubeAccess({}, { KUBECONFIG: ONE })).toEqual({
      server: 'https://127.0.0.1:1',
      namespace: 'default',
      insecure: false,
      ca: 'CA',
      token: 'secret'
    })
  })

  test('reads YAML, files beside it, client certificates, the namespace of the context', async () => {
    expect(await readKubeAccess({ kubeconfig: TWO }, { KUBECONFIG: ONE })).toEqual({
      server: 'https://far:6443',
      namespace: 'shop',
      insecure: false,
      ca: 'PEM of an authority',
      certificate: { cert: 'CERT', key: 'KEY' }
    })
  })

  test('joins several files: the first current-context counts, --context chooses from all', async () => {
    const env = { KUBECONFIG: [join(folder, 'gone'), ONE, TWO].join(':') }
    expect(await readKubeAccess({}, env)).toMatchObject({ server: 'https://127.0.0.1:1' })
    expect(await readKubeAccess({ context: 'open' }, env)).toEqual({
      server: 'https://open:6443',
      namespace: 'default',
      insecure: true
    })
  })

  test.each([
    [{}, { HOME: folder }, /^no kubeconfig at \S+\/\.kube\/config: set KUBECONFIG as `twin up` prints it$/],
    [{ kubeconfig: '/nowhere' }, {}, /^no kubeconfig at \/nowhere/],
    [{ context: 'sea' }, { KUBECONFIG: ONE }, /^the kubeconfig has no context "sea"$/],
    [{ context: 'lost' }, { KUBECONFIG: TWO }, /^the kubeconfig has no cluster "gone"$/],
    [{ context: 'cloud' }, { KUBECONFIG: TWO }, /fetches its credentials with a plug-in; that is not understood$/],
    [{}, { KUBECONFIG: file('none', '{}') }, /no current-context; give --context$/],
    [{}, { KUBECONFIG: file('broken', '{ "clusters": [') }, /is no kubeconfig: /]
  ])('refuses %j with %j', async (flags, env, message) => {
    await expect(readKubeAccess(flags, env)).rejects.toThrow(message)
  })
})
