import { X509Certificate } from 'node:crypto'
import { generate } from 'selfsigned'

/** A self-signed certificate of the loopback address with its key, both PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/**
 * Makes the certificate of one world: EC P-256 (an RSA key would take longer than the rest of the start), valid for a year
 * around `nowMs`, which is wall time because TLS clients judge it by theirs.
 */
export async function createCertificate(nowMs: number): Promise<Certificate> {
  const day = 86_400_000
  const made = await generate([{ name: 'commonName', value: 'rollout-twin' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(nowMs - day),
    notAfterDate: new Date(nowMs + 365 * day),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 7, ip: '127.0.0.1' },
          { type: 2, value: 'localhost' },
          { type: 2, value: 'kubernetes' }
        ]
      }
    ]
  })
  return { cert: new X509Certificate(made.cert).toString(), key: made.private }
}
