import { describe, expect, test } from 'vitest'
import {
  joinPaths,
  parseRequestUri,
  parseUrl,
  queryEscape,
  resolveReference,
  urlText,
  withPassword
} from '../../../src/lib/golang/index.ts'

function textOf(text: string): string {
  const parsed = parseUrl(text)
  return parsed.ok ? urlText(parsed.url) : parsed.error
}

describe('parseUrl() and urlText()', () => {
  test.each([
    ['http://h/a b', 'http://h/a%20b'],
    ['http://h/a%2Fb', 'http://h/a%2Fb'],
    ['http://u:p@h/x?y#z', 'http://u:p@h/x?y#z'],
    ['HTTP://h?', 'http://h?'],
    ['prometheus.test', 'prometheus.test'],
    ['prometheus:9090', 'prometheus:9090'],
    ["http://h/a'b(c)!*", "http://h/a'b(c)!*"]
  ])('%s', (text, printed) => {
    expect(textOf(text)).toBe(printed)
  })

  test.each([
    [':x', 'parse ":x": missing protocol scheme'],
    ['1:x', 'parse "1:x": first path segment in URL cannot contain colon'],
    ['http://h:x/', 'parse "http://h:x/": invalid port ":x" after host'],
    ['http://h:80:80/', 'parse "http://h:80:80/": invalid port ":80:80" after host'],
    ['http://a b/', 'parse "http://a b/": invalid character " " in host name'],
    ['http://h/%zz', 'parse "http://h/%zz": invalid URL escape "%zz"'],
    ['http://h/\n', 'parse "http://h/\\n": net/url: invalid control character in URL']
  ])('%s is refused', (text, error) => {
    expect(textOf(text)).toBe(error)
  })
})

test('parseRequestUri() wants an absolute URL or a path', () => {
  expect(parseRequestUri('/x').ok).toBe(true)
  expect(parseRequestUri('')).toEqual({ ok: false, error: 'parse "": empty url' })
  expect(parseRequestUri('x')).toEqual({ ok: false, error: 'parse "x": invalid URI for request' })
})

describe('resolveReference()', () => {
  const seen = (base: string, reference: string): string => {
    const [from, to] = [parseUrl(base), parseUrl(reference)]
    return from.ok && to.ok ? urlText(resolveReference(from.url, to.url)) : ''
  }
  test.each([
    ['http://h/a/b', '../c', 'http://h/c'],
    ['http://h/a/b?q', 'c?d', 'http://h/a/c?d'],
    ['http://h/a', '//x/y', 'http://x/y'],
    ['http://h/a', '', 'http://h/a'],
    ['prometheus.test', 'api', '/api']
  ])('%s and %s', (base, reference, result) => {
    expect(seen(base, reference)).toBe(result)
  })
})

test('joinPaths(), queryEscape() and withPassword()', () => {
  expect(joinPaths('/sub/', './api/../v1')).toBe('/sub/v1')
  expect(joinPaths('', '')).toBe('')
  expect(queryEscape("a b+'ä")).toBe('a+b%2B%27%C3%A4')
  const parsed = parseUrl('http://u:p@h')
  expect(parsed.ok && urlText(withPassword(parsed.url, 'x'))).toBe('http://u:x@h')
})
