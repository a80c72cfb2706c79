import type { IncomingMessage } from 'node:http'
import type { ApiRequest, KubeStatus } from '../../kinds/index.ts'
import { decodeProtobuf } from './protobuf.ts'
import { yaml } from './yaml.ts'

/** Largest request body, bytes: the limit of kube-apiserver. */
export const BODY_BYTES_MAX: number = 3 * 1024 * 1024

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const

/** A request read from the wire, or the answer that refuses it. */
export type ReadRequest = { readonly request: ApiRequest } | { readonly refusal: KubeStatus }

/** Reads a whole request: path, decoded query, headers and body (JSON as text, YAML parsed). */
export async function readRequest(message: IncomingMessage): Promise<ReadRequest> {
  const method = METHODS.find((one) => one === message.method)
  if (method === undefined) return { refusal: status(405, 'MethodNotAllowed', `method ${message.method} not allowed`) }
  const url = new URL(message.url ?? '/', 'https://twin')
  const headers = readHeaders(message)
  const base = { method, path: url.pathname, query: Object.fromEntries(url.searchParams), headers }
  const body = await readBody(message)
  if (body === undefined) {
    return { refusal: status(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${BODY_BYTES_MAX}`) }
  }
  if (body.length === 0) return { request: base }
  const type = headers['content-type'] ?? 'application/json'
  if (type.startsWith('application/vnd.kubernetes.protobuf')) return readProtobuf(base, body)
  const text = body.toString('utf8')
  if (!type.includes('yaml')) return { request: { ...base, bodyText: text } }
  return readYaml(base, text)
}

/** kubectl's own generators (`create deployment`, `autoscale`) send protobuf. */
function readProtobuf(base: Omit<ApiRequest, 'body'>, body: Buffer): ReadRequest {
  try {
    return {
      request: { ...base, headers: { ...base.headers, 'content-type': 'application/json' }, body: decodeProtobuf(body) }
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { refusal: status(400, 'BadRequest', reason) }
  }
}

function readYaml(base: Omit<ApiRequest, 'body'>, text: string): ReadRequest {
  // `maxAliasCount` keeps a few bytes of aliases from growing into gigabytes.
  try {
    return { request: { ...base, body: yaml().parse(text, { maxAliasCount: 100, uniqueKeys: true }) } }
  } catch (error) {
    return { request: { ...base, bodyText: text, bodyError: yamlProblem(error) } }
  }
}

/** What is wrong with a YAML text, in the words of the server's library where it has some for it (go-yaml v2). */
const YAML_PROBLEMS: readonly (readonly [RegExp, string])[] = [
  [/Flow sequence/, "did not find expected ',' or ']'"],
  [/Flow map/, "did not find expected ',' or '}'"],
  [/Nested mappings are not allowed|block mapping/i, 'mapping values are not allowed in this context'],
  [/Missing closing/, 'found unexpected end of stream'],
  [/Tabs are not allowed/, 'found character that cannot start any token'],
  [/Implicit keys|Implicit map keys/, "could not find expected ':'"],
  [/must start at the same column/, 'did not find expected key']
]

function yamlProblem(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  const line = /at line (\d+)/.exec(message)?.[1]
  const words = YAML_PROBLEMS.find(([pattern]) => pattern.test(message))?.[1] ?? message.split('\n')[0] ?? ''
  return line === undefined ? `yaml: ${words}` : `yaml: line ${line}: ${words}`
}

function readHeaders(message: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(message.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return headers
}

/** The body's bytes; undefined when there are more than the limit. */
async function readBody(message: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of message) {
    const bytes: Buffer = chunk
    size += bytes.length
    if (size > BODY_BYTES_MAX) return undefined
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
}

/** A Status object of the wire itself. */
export function status(code: number, reason: string, message: string): KubeStatus {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code }
}
