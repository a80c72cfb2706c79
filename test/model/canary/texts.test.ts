import { describe, expect, test } from 'vitest'
import { safeHash, specHash, statusChecksum } from '../../../src/model/canary/hash.ts'
import { formatGoFixed2, formatGoFloat, goSeconds, scaledDown } from '../../../src/model/canary/go-format.ts'
import { goJsonError } from '../../../src/lib/golang/index.ts'
import { renderQuery, type QueryModel } from '../../../src/model/canary/template.ts'

describe('statusChecksum()', () => {
  test.each([
    [undefined, '', '758df7c9fc'],
    [{}, '', '68bf6f479b'],
    [{ 'secret/podinfo-secret': '0011223344556677' }, '5978b9d4f', 'cd6c546ff'],
    [{ 'secret/b': '2', 'configmap/a': '1' }, 'x', '56cb56db84']
  ] as const)('gives Flagger’s checksum of %j and %j', (configs, applied, checksum) => {
    expect(statusChecksum(configs, applied)).toBe(checksum)
  })
})

describe('specHash()', () => {
  test('does not depend on the order of keys, and changes with the content', () => {
    expect(specHash({ a: 1, b: [2] })).toBe(specHash({ b: [2], a: 1 }))
    expect(specHash({ a: 1 })).not.toBe(specHash({ a: 2 }))
    expect(safeHash('x')).toMatch(/^[4-9bcdf]+$/)
  })
})

describe('formatGoFloat()', () => {
  test.each([
    [99, '99'],
    [99.5, '99.5'],
    [0.1, '0.1'],
    [999_999, '999999'],
    [1_000_000, '1e+06'],
    [1_234_567, '1.234567e+06'],
    [0.0001, '0.0001'],
    [0.000_012, '1.2e-05'],
    [Number.POSITIVE_INFINITY, '+Inf'],
    [0, '0']
  ])('prints %d as Go’s %%v', (value, text) => {
    expect(formatGoFloat(value)).toBe(text)
  })
})

describe('formatGoFixed2()', () => {
  test.each([
    [0.125, '0.12'],
    [0.375, '0.38'],
    [-0.125, '-0.12'],
    [66.666_666, '66.67'],
    [1.005, '1.00'],
    [100, '100.00']
  ])('rounds %d as Go’s %%.2f', (value, text) => {
    expect(formatGoFixed2(value)).toBe(text)
  })
})

describe('goSeconds() and scaledDown()', () => {
  test('round as Go’s Duration.Seconds and float32 arithmetic', () => {
    expect(goSeconds(1515)).toBe(1.515_000_000_000_000_1)
    expect(scaledDown(1, 50)).toBe(0)
    expect(scaledDown(3, 67)).toBe(2)
    expect(scaledDown(10, 100)).toBe(10)
  })
})

describe('goJsonError()', () => {
  test.each([
    ['not json', "invalid character 'o' in literal null (expecting 'u')"],
    ['<html>', "invalid character '<' looking for beginning of value"],
    ['', 'unexpected end of JSON input'],
    ['{"a":1', 'unexpected end of JSON input'],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b"}', "invalid character '\"' after object key:value pair"],
    ['[1 2]', "invalid character '2' after array element"],
    ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
    ['1 x', "invalid character 'x' after top-level value"],
    ['-x', "invalid character 'x' in numeric literal"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['"\\q"', "invalid character 'q' in string escape code"]
  ])('names what is wrong with %j', (text, problem) => {
    expect(goJsonError(text)).toBe(problem)
  })

  test.each(['{"a":[1,-2.5e3,"x\\u00e9",true,null]}', ' [] ', '0'])('finds nothing wrong with %s', (text) => {
    expect(goJsonError(text)).toBeUndefined()
  })
})

describe('renderQuery()', () => {
  const model: QueryModel = {
    name: 'app',
    namespace: 'test',
    target: 'podinfo',
    service: 'svc',
    ingress: 'ing',
    route: 'route',
    interval: '1m',
    variables: { direction: 'inbound' }
  }

  test('replaces functions and variables, drops comments, honours trim markers', () => {
    const query = 'rate(x{ns="{{ namespace }}",d="{{variables.direction}}"}[{{ interval -}}  ]){{/* note */}}'
    expect(renderQuery(query, model)).toBe('rate(x{ns="test",d="inbound"}[1m])')
  })

  test('runs pipelines, conditions, ranges and variables', () => {
    const render = (template: string): string => renderQuery(template, model)
    expect(render('{{ printf "%s-%s" namespace target | printf "<%s>" }}')).toBe('<test-podinfo>')
    expect(render('{{ if eq variables.direction "inbound" }}in{{ else }}out{{ end }}')).toBe('in')
    expect(render('{{ if false }}a{{ else if namespace }}b{{ else }}c{{ end }}')).toBe('b')
    expect(render('{{ range $key, $value := variables }}{{ $key }}={{ $value }};{{ end }}')).toBe('direction=inbound;')
    expect(render('{{ with target }}{{ . }}{{ end }}')).toBe('podinfo')
    expect(
      render('{{- $x := index variables "direction" }}{{ $x }} {{ index variables "nope" }}|{{ len target }}')
    ).toBe('inbound |7')
    expect(render('{{ (printf "%s" name) }}')).toBe('app')
  })

  test.each([
    [
      'q_x+{{ variables.nope }}',
      'template excution failed: template: tmpl:1:7: executing "tmpl" at <variables>: map has no entry for key "nope"'
    ],
    ['{{ foo }}', 'template parsing failed: template: tmpl:1: function "foo" not defined'],
    ['a\n{{ namespace', 'template parsing failed: template: tmpl:2: unclosed action'],
    ['{{ if namespace }}x', 'template parsing failed: template: tmpl:1: unexpected EOF'],
    ['{{ }}', 'template parsing failed: template: tmpl:1: missing value for command'],
    ['x{{ end }}', 'template parsing failed: template: tmpl:1: unexpected {{end}}'],
    [
      '{{ .Foo }}',
      'template excution failed: template: tmpl:1:3: executing "tmpl" at <.Foo>: nil data; no entry for key "Foo"'
    ],
    [
      '{{ namespace "x" }}',
      'template excution failed: template: tmpl:1:3: executing "tmpl" at <namespace>: wrong number of args for namespace: want 0 got 1'
    ]
  ])('%j fails with Go’s words', (template, message) => {
    expect(() => renderQuery(template, model)).toThrow(message)
  })
})
