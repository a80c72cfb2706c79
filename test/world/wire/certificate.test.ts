import { X509Certificate } from 'node:crypto'
import { connect, createServer } from 'node:tls'
import type { AddressInfo } from 'node:net'
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { createCertificate } from '../../../src/world/wire/certificate.ts'

const NOW = Date.UTC(2026, 5, 1)

describe('createCertificate()', () => {
  it('is a P-256 authority of loopback that has signed itself, valid from a day before for a year', () => {
    const made = new X509Certificate(createCertificate(NOW).cert)
    expect(made.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' })
    expect(made.verify(made.publicKey)).toBe(true)
    expect(made.checkIssued(made)).toBe(true)
    expect(made.ca).toBe(true)
    expect(made.checkIP('127.0.0.1')).toBe('127.0.0.1')
    expect(made.checkHost('localhost')).toBe('localhost')
    expect(made.checkHost('example.com')).toBeUndefined()
    expect([made.validFromDate.toISOString(), made.validToDate.toISOString()]).toEqual([
      '2026-05-31T00:00:00.000Z',
      '2027-06-01T00:00:00.000Z'
    ])
  })

  it('writes years from 2050 on with four digits', () => {
    const made = new X509Certificate(createCertificate(Date.UTC(2049, 11, 1)).cert)
    expect(made.validToDate.getUTCFullYear()).toBe(2050)
  })

  it('gives every world a serial number of its own', () => {
    const serials = Array.from({ length: 20 }, () => new X509Certificate(createCertificate(NOW).cert).serialNumber)
    expect(new Set(serials).size).toBe(20)
  })

  it('is accepted by a TLS client that trusts it alone', async () => {
    const { cert, key } = createCertificate(Date.now())
    const server = createServer({ cert, key }, (socket) => socket.end())
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    const { port } = server.address() as AddressInfo
    const socket = connect({ port, host: '127.0.0.1', ca: cert })
    const authorised = await new Promise((resolve, reject) => {
      socket.once('secureConnect', () => resolve(socket.authorized))
      socket.once('error', reject)
    })
    socket.destroy()
    server.close()
    expect(authorised).toBe(true)
  })

  it('is read by openssl, strictly', () => {
    const { cert } = createCertificate(Date.now())
    const text = execFileSync('openssl', ['x509', '-noout', '-text'], { input: cert }).toString()
    expect(text).toContain('Version: 3 (0x2)')
    expect(text).toContain('IP Address:127.0.0.1, DNS:localhost, DNS:kubernetes')
    expect(text).toContain('Digital Signature, Certificate Sign')
  })
})
