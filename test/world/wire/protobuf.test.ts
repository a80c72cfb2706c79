import { describe, expect, test } from 'vitest'
import { decodeProtobuf, PROTOBUF_MAGIC } from '../../../src/world/wire/protobuf.ts'

function text(number: number, value: string | Buffer): Buffer {
  const content = Buffer.from(value)
  return Buffer.concat([Buffer.from([(number << 3) | 2, content.length]), content])
}

function body(kind: string, raw: Buffer): Buffer {
  const typeMeta = Buffer.concat([text(1, 'v1'), text(2, kind)])
  return Buffer.concat([PROTOBUF_MAGIC, text(1, typeMeta), text(2, raw)])
}

describe('decodeProtobuf()', () => {
  test('reads names, maps and bytes of a kind', () => {
    const entry = Buffer.concat([text(1, 'key'), text(2, 'value')])
    const raw = Buffer.concat([text(1, text(1, 'web')), text(2, entry)])
    expect(decodeProtobuf(body('ConfigMap', raw))).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'web' },
      data: { key: 'value' }
    })
  })

  test('refuses other data, cut data and unknown kinds', () => {
    expect(() => decodeProtobuf(Buffer.from('{}'))).toThrow('does not appear to be a protobuf message')
    expect(() => decodeProtobuf(body('ConfigMap', Buffer.from([0x0a, 0x50])))).toThrow('unexpected EOF')
    expect(() => decodeProtobuf(body('Nothing', Buffer.alloc(0)))).toThrow('no kind "Nothing"')
  })
})
