/** Where and how a client reaches the API. */
export interface ApiAddress {
  readonly url: string
  /** PEM of the certificate authority. */
  readonly ca: string
  readonly token: string
}

/** A kubeconfig file for that address, as YAML (JSON is YAML). */
export function kubeconfigText(address: ApiAddress, name = 'twin'): string {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [
      {
        name,
        cluster: { server: address.url, 'certificate-authority-data': Buffer.from(address.ca).toString('base64') }
      }
    ],
    users: [{ name, user: { token: address.token } }],
    contexts: [{ name, context: { cluster: name, user: name } }]
  }
  return `${JSON.stringify(config, undefined, 2)}\n`
}
