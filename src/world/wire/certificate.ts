import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

/** A self-signed certificate of the loopback address with its key, both PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** Tags of DER (ITU-T X.690) that a certificate needs. */
const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  version: 0xa0,
  extensions: 0xa3,
  dnsName: 0x82,
  ipAddress: 0x87
} as const

/** Object identifiers, encoded. */
const OID = {
  ecdsaWithSha256: Buffer.from('2a8648ce3d040302', 'hex'),
  commonName: Buffer.from('550403', 'hex'),
  basicConstraints: Buffer.from('551d13', 'hex'),
  keyUsage: Buffer.from('551d0f', 'hex'),
  subjectAltName: Buffer.from('551d11', 'hex')
} as const

const DAY_MS = 86_400_000
const TRUE = Buffer.from([0xff])
/** digitalSignature and keyCertSign; the low two bits of the byte are unused. */
const KEY_USAGE = Buffer.from([0x02, 0x84])

/**
 * Makes the certificate of one world: EC P-256 (an RSA key would take longer than the rest of the start), valid for a year
 * around `nowMs`, which is wall time because TLS clients judge it by theirs. X.509 v3 (RFC 5280), written here because
 * loading a library for it takes a fifth of a second, which every start would wait for.
 */
export function createCertificate(nowMs: number): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = der(TAG.sequence, der(TAG.objectId, OID.ecdsaWithSha256))
  const name = der(
    TAG.sequence,
    der(TAG.set, der(TAG.sequence, der(TAG.objectId, OID.commonName), der(TAG.utf8, Buffer.from('rollout-twin'))))
  )
  const body = der(
    TAG.sequence,
    der(TAG.version, der(TAG.integer, Buffer.from([2]))),
    der(TAG.integer, serialNumber()),
    algorithm,
    name,
    der(TAG.sequence, time(nowMs - DAY_MS), time(nowMs + 365 * DAY_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(TAG.extensions, extensions())
  )
  const signature = der(TAG.bitString, Buffer.from([0]), sign('sha256', body, privateKey))
  return {
    cert: pem(der(TAG.sequence, body, algorithm, signature)),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  }
}

function extensions(): Buffer {
  const names = der(
    TAG.sequence,
    der(TAG.ipAddress, Buffer.from([127, 0, 0, 1])),
    der(TAG.dnsName, Buffer.from('localhost')),
    der(TAG.dnsName, Buffer.from('kubernetes'))
  )
  return der(
    TAG.sequence,
    extension(OID.basicConstraints, true, der(TAG.sequence, der(TAG.boolean, TRUE))),
    extension(OID.keyUsage, true, der(TAG.bitString, KEY_USAGE)),
    extension(OID.subjectAltName, false, names)
  )
}

function extension(id: Buffer, isCritical: boolean, value: Buffer): Buffer {
  const critical = isCritical ? [der(TAG.boolean, TRUE)] : []
  return der(TAG.sequence, der(TAG.objectId, id), ...critical, der(TAG.octetString, value))
}

/** Sixteen bytes, positive and without leading zeros. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes
}

/** Two-digit years until 2049, four digits from then on, as RFC 5280 §4.1.2.5 wants. */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '')
  const isShort = Number(digits.slice(0, 4)) < 2050
  return der(isShort ? TAG.utcTime : TAG.generalizedTime, Buffer.from(isShort ? digits.slice(2) : digits))
}

/** One value: tag, length, contents. */
function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const body = Buffer.concat(contents)
  const { length } = body
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...head]), body])
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}
