import { describe, expect, test } from 'vitest'
import { renderTemplate } from '../../../src/lib/golang/index.ts'

const VALUES = { name: 'podinfo', namespace: 'test', variables: { x: 'val', 'y-1': '<w>' } }

function rendered(text: string): string {
  const result = renderTemplate('tmpl', text, VALUES)
  return result.ok ? result.text : result.error
}

describe('renderTemplate() runs', () => {
  test.each([
    ['{{ name }}.{{- namespace -}} !', 'podinfo.test!'],
    ['{{ if eq name "x" }}a{{ else if eq namespace "test" "b" }}b{{ end }}', 'b'],
    ['{{ with variables.x }}{{ . }}{{ end }}{{ with "" }}{{ else with name }}w{{ . }}{{ end }}', 'valwpodinfo'],
    ['{{ range $k, $v := variables }}{{ $k }}={{ $v }};{{ end }}', 'x=val;y-1=<w>;'],
    [
      '{{ range $i := 5 }}{{ if eq $i 1 }}{{ continue }}{{ end }}{{ if gt $i 2 }}{{ break }}{{ end }}{{ $i }}{{ end }}',
      '02'
    ],
    ['{{ $a := 1 }}{{ if true }}{{ $a = 2 }}{{ end }}{{ $a }}', '2'],
    ['{{ define "T" }}[{{ . }}]{{ end }}{{ template "T" name }}{{ block "B" 3 }}<{{ . }}>{{ end }}', '[podinfo]<3>'],
    ['{{ index variables "y-1" | html }} {{ len name }} {{ slice name 1 3 }} {{ index name 0 }}', '&lt;w&gt; 7 od 112'],
    [
      '{{ printf "%s|%5d|%-4q|%x|%v|%T|%08.3f|%+d" name 42 "a" "hi" variables 1.5 2.5 7 }}',
      'podinfo|   42|"a" |6869|map[x:val y-1:<w>]|float64|0002.500|+7'
    ],
    [
      '{{ printf "%d %s %!" "x" 1 }}{{ printf "%d" }}{{ printf "" 1 }}',
      '%!d(string=x) %!s(int=1) %!!(MISSING)%!d(MISSING)%!(EXTRA int=1)'
    ],
    ['{{ . }}{{ print nil 1 2 "a" 3 }}{{ println true }}', '<no value><nil> 1 2a3true\n'],
    ['{{ and 0 name }}{{ or "" name }}{{ not 1 }}{{ js "\'<" }}{{ urlquery "a b" 1 }}', "0podinfofalse\\'\\u003Ca+b1"],
    ["{{/* a comment */}}{{ 'a' }} {{ 0x10 }} {{ 1_000 }} {{ 1e6 }} {{ 1.50 }} {{ 1i }}", '97 16 1000 1e+06 1.5 (0+1i)']
  ])('%s', (text, result) => {
    expect(rendered(text)).toBe(result)
  })
})

describe('renderTemplate() refuses', () => {
  test.each([
    ['{{ nofunc }}', 'template: tmpl:1: function "nofunc" not defined'],
    ['a\n{{ name', 'template: tmpl:2: unclosed action'],
    ['{{ name\n', 'template: tmpl:2: unclosed action started at tmpl:1'],
    ['{{ if name }}', 'template: tmpl:1: unexpected EOF'],
    ['{{ end }}', 'template: tmpl:1: unexpected {{end}}'],
    ['{{}}', 'template: tmpl:1: missing value for command'],
    ['{{ if }}{{ end }}', 'template: tmpl:1: missing value for if'],
    ['{{ $x }}', 'template: tmpl:1: undefined variable "$x"'],
    ['{{ break }}', 'template: tmpl:1: {{break}} outside {{range}}'],
    ['{{ 1 | 2 }}', 'template: tmpl:1: non executable command in pipeline stage 2'],
    ['{{ "abc }}', 'template: tmpl:1: unterminated quoted string'],
    ['{{ name:x }}', 'template: tmpl:1: expected :='],
    ['{{ (name }}', 'template: tmpl:1: unclosed left paren'],
    [
      '{{ define "a" }}x{{ end }}{{ define "a" }}y{{ end }}',
      'template: tmpl:1: template: multiple definition of template "a"'
    ],
    [
      '{{ template "gone" }}',
      'template: tmpl:1:12: executing "tmpl" at <{{template "gone"}}>: template "gone" not defined'
    ],
    ['{{ name "x" }}', 'template: tmpl:1:3: executing "tmpl" at <name>: wrong number of args for name: want 0 got 1'],
    ['ä{{ variables.z }}', 'template: tmpl:1:5: executing "tmpl" at <variables>: map has no entry for key "z"'],
    ['{{ .x }}', 'template: tmpl:1:3: executing "tmpl" at <.x>: nil data; no entry for key "x"'],
    ['{{ name.x }}', 'template: tmpl:1:3: executing "tmpl" at <name>: can\'t evaluate field x in type string'],
    [
      '{{ eq 1 "1" }}',
      'template: tmpl:1:3: executing "tmpl" at <eq 1 "1">: error calling eq: incompatible types for comparison: int and string'
    ],
    ['{{ len 1 }}', 'template: tmpl:1:3: executing "tmpl" at <len 1>: error calling len: len of type int'],
    ['{{ printf 1 }}', 'template: tmpl:1:10: executing "tmpl" at <1>: expected string; found 1'],
    ['{{ nil }}', 'template: tmpl:1:3: executing "tmpl" at <nil>: nil is not a command'],
    ['{{ range name }}{{ end }}', 'template: tmpl:1:9: executing "tmpl" at <name>: range can\'t iterate over podinfo'],
    [
      '{{ define "T" }}{{ .x }}{{ end }}{{ template "T" name }}',
      'template: tmpl:1:19: executing "T" at <.x>: can\'t evaluate field x in type string'
    ]
  ])('%s', (text, error) => {
    expect(rendered(text)).toBe(error)
  })
})
