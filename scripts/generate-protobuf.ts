/**
 * Writes the field numbers of the Kubernetes API's protobuf messages as data, from the `generated.proto` files of
 * kubernetes/api and kubernetes/apimachinery. Usage: `node scripts/generate-protobuf.ts <folder of *.proto> <version>`
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const TARGET = new URL('../src/world/wire/protobuf-fields.generated.json', import.meta.url)
const FIELD = /^ {2}(?:map<string, ([^>]+)>|(optional|repeated|required) (\S+)) (\w+) = (\d+);/

/** `k8s.io.api.core.v1` names the definitions `io.k8s.api.core.v1`. */
function definitionPackage(name: string): string {
  return name.replace(/^k8s\.io\./, 'io.k8s.')
}

function typeName(type: string, home: string): string {
  if (/^(string|bool|bytes|int32|int64|double|uint32|uint64)$/.test(type)) return type
  const bare = type.replace(/^\./, '')
  return bare.includes('.') ? definitionPackage(bare) : `${home}.${bare}`
}

function readMessages(text: string): Record<string, string> {
  const home = definitionPackage(/^package (\S+);/m.exec(text)?.[1] ?? '')
  const messages: Record<string, string> = {}
  let current: string | undefined
  let fields: string[] = []
  for (const line of text.split('\n')) {
    const start = /^message (\w+) \{/.exec(line)
    if (start !== null) {
      current = `${home}.${start[1] ?? ''}`
      fields = []
    } else if (line === '}' && current !== undefined) {
      messages[current] = fields.join(' ')
      current = undefined
    } else if (current !== undefined) {
      const field = FIELD.exec(line)
      if (field === null) continue
      const [, mapped, rule = '', type = '', name = '', number = ''] = field
      const mark = rule === 'repeated' ? '*' : mapped === undefined ? '' : '%'
      fields.push(`${number}:${name}:${mark}${typeName(mapped ?? type, home)}`)
    }
  }
  return messages
}

function main([folder, version]: readonly string[]): void {
  if (folder === undefined || version === undefined) throw new Error('Give the folder of the files and the version.')
  const messages: Record<string, string> = {}
  for (const file of readdirSync(folder).toSorted()) {
    if (file.endsWith('.proto')) Object.assign(messages, readMessages(readFileSync(join(folder, file), 'utf8')))
  }
  const header = {
    source: 'generated.proto of kubernetes/api and kubernetes/apimachinery: field numbers',
    version,
    licence: 'Apache-2.0'
  }
  const lines = Object.keys(messages)
    .toSorted()
    .map((name) => `${JSON.stringify(name)}:${JSON.stringify(messages[name])}`)
  writeFileSync(TARGET, `{"header":${JSON.stringify(header)},\n"messages":{\n${lines.join(',\n')}\n}}\n`)
  console.log(`${lines.length} messages`)
}

main(process.argv.slice(2))
