import type { ApiRequest, KubeObject } from '../../../kinds/index.ts'
import { formatTimestamp, type Instant } from '../../../lib/time/index.ts'
import { type KubeClient, KubectlError, type ResourceKind } from '../../shell/index.ts'
import type { CommandResult } from '../../world.ts'

const STRATEGIC = 'application/strategic-merge-patch+json'
const MERGE = 'application/merge-patch+json'
const PATCH_TYPES: Readonly<Record<string, string>> = {
  strategic: STRATEGIC,
  merge: MERGE,
  json: 'application/json-patch+json'
}

const VALUE_OPTIONS: Readonly<Record<string, string>> = {
  '-n': 'namespace',
  '--namespace': 'namespace',
  '-p': 'patch',
  '--patch': 'patch',
  '--type': 'type',
  '--subresource': 'subresource',
  '--replicas': 'replicas',
  '--cascade': 'cascade',
  '--grace-period': 'grace-period',
  '-o': 'output'
}

interface Call {
  readonly client: KubeClient
  readonly now: Instant
  readonly namespace: string
  readonly options: ReadonlyMap<string, string>
  /** Words after the verb. */
  readonly words: readonly string[]
}

interface Target {
  readonly kind: ResourceKind
  readonly name: string
  readonly path: string
}

/** What a change is made with. */
export interface KubectlContext {
  readonly client: KubeClient
  readonly now: Instant
  /** Namespace where none is named. */
  readonly namespace: string
}

/** The commands of `kubectl` that change objects, done at once: set image, patch, annotate, label, scale, delete, rollout restart. */
export function runKubectl(words: readonly string[], context: KubectlContext): CommandResult {
  try {
    const { options, rest } = readWords(words)
    const [verb = '', ...more] = rest
    const namespace = options.get('namespace') ?? context.namespace
    const call: Call = { client: context.client, now: context.now, namespace, options, words: more }
    return { exitCode: 0, stdout: change(verb, call), stderr: '' }
  } catch (error) {
    if (!(error instanceof KubectlError)) throw error
    return { exitCode: error.exitCode, stdout: '', stderr: `${error.message}\n` }
  }
}

function change(verb: string, call: Call): string {
  switch (verb) {
    case 'set':
      return setImage({ ...call, words: call.words.slice(1) })
    case 'patch':
      return patchObjects(call)
    case 'annotate':
      return setMetadata(call, 'annotations')
    case 'label':
      return setMetadata(call, 'labels')
    case 'scale':
      return scale(call)
    case 'delete':
      return remove(call)
    case 'rollout':
      return restart({ ...call, words: call.words.slice(1) })
    default:
      throw new KubectlError(`error: kubectl ${verb} is not understood in the virtual world`)
  }
}

function readWords(words: readonly string[]): {
  readonly options: ReadonlyMap<string, string>
  readonly rest: readonly string[]
} {
  const options = new Map<string, string>()
  const rest: string[] = []
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? ''
    if (!word.startsWith('-')) {
      rest.push(word)
      continue
    }
    const equals = word.indexOf('=')
    const flag = equals < 0 ? word : word.slice(0, equals)
    const name = VALUE_OPTIONS[flag]
    if (name === undefined) options.set(flag.replace(/^-+/, ''), equals < 0 ? 'true' : word.slice(equals + 1))
    else options.set(name, equals < 0 ? (words[++index] ?? '') : word.slice(equals + 1))
  }
  return { options, rest }
}

function targetsOf({ client, namespace }: Call, words: readonly string[]): readonly Target[] {
  const [first, ...names] = words
  if (first === undefined) throw new KubectlError('error: resource(s) were provided, but no name was specified')
  const pairs: readonly (readonly [string, string])[] = first.includes('/')
    ? words.map((word) => {
        const slash = word.indexOf('/')
        return [word.slice(0, slash), word.slice(slash + 1)]
      })
    : names.map((name) => [first, name])
  return pairs.map(([noun, name]) => {
    const kind = client.resourceOf(noun)
    return { kind, name, path: client.path(kind, namespace, name) }
  })
}

function printed({ kind, name }: Target): string {
  const singular = kind.kind.toLowerCase()
  return kind.group === '' ? `${singular}/${name}` : `${singular}.${kind.group}/${name}`
}

interface Patch {
  readonly path: string
  readonly type: string
  readonly body: unknown
  readonly manager: string
}

function send(client: KubeClient, { path, type, body, manager }: Patch): KubeObject {
  const request: ApiRequest = {
    method: 'PATCH',
    path,
    query: { fieldManager: manager },
    headers: { 'content-type': type },
    body
  }
  return client.call(request) as KubeObject
}

interface Container {
  readonly name: string
  readonly image?: string
}

function setImage(call: Call): string {
  const pairs = call.words.filter((word) => word.includes('=')).map(split)
  let stdout = ''
  for (const target of targetsOf(
    call,
    call.words.filter((word) => !word.includes('='))
  )) {
    const object = call.client.call({ method: 'GET', path: target.path }) as KubeObject
    const spec = object.spec as {
      readonly template?: { readonly spec?: { readonly containers?: readonly Container[] } }
    }
    const containers = spec.template?.spec?.containers ?? []
    const missing = pairs.find(([name]) => name !== '*' && !containers.some((container) => container.name === name))
    if (missing !== undefined) throw new KubectlError(`error: unable to find container named "${missing[0]}"`)
    const changes = containers.flatMap((container) => {
      const image = pairs.findLast(([name]) => name === '*' || name === container.name)?.[1]
      return image === undefined || image === container.image ? [] : [{ name: container.name, image }]
    })
    if (changes.length === 0) continue
    const body = { spec: { template: { spec: { containers: changes } } } }
    send(call.client, { path: target.path, type: STRATEGIC, body, manager: 'kubectl-set' })
    stdout += `${printed(target)} image updated\n`
  }
  return stdout
}

function split(pair: string): readonly [string, string] {
  const equals = pair.indexOf('=')
  return equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)]
}

function patchObjects(call: Call): string {
  const text = call.options.get('patch')
  if (text === undefined) throw new KubectlError('error: must specify --patch containing the contents of the patch')
  const wanted = call.options.get('type') ?? 'strategic'
  const type = PATCH_TYPES[wanted]
  if (type === undefined) throw new KubectlError(`error: --type must be one of [json merge strategic], not "${wanted}"`)
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (error) {
    throw new KubectlError(`error: unable to parse "${text}": ${error instanceof Error ? error.message : ''}`)
  }
  const subresource = call.options.get('subresource')
  let stdout = ''
  for (const target of targetsOf(call, call.words)) {
    const before = call.client.call({ method: 'GET', path: target.path }) as KubeObject
    const path = subresource === undefined ? target.path : `${target.path}/${subresource}`
    const after = send(call.client, { path, type, body, manager: 'kubectl-patch' })
    const same = after.metadata.resourceVersion === before.metadata.resourceVersion
    stdout += `${printed(target)} patched${same ? ' (no change)' : ''}\n`
  }
  return stdout
}

function setMetadata(call: Call, field: 'annotations' | 'labels'): string {
  const isChange = (word: string): boolean => word.includes('=') || word.endsWith('-')
  const changes = call.words.slice(1).filter(isChange)
  if (changes.length === 0) throw new KubectlError(`error: at least one ${field.slice(0, -1)} update is required`)
  let stdout = ''
  for (const target of targetsOf(
    call,
    call.words.filter((word) => !changes.includes(word))
  )) {
    const object = call.client.call({ method: 'GET', path: target.path }) as KubeObject
    const values: Record<string, string | null> = {}
    for (const word of changes) {
      if (!word.includes('=')) {
        values[word.slice(0, -1)] = null
        continue
      }
      const [name, value] = split(word)
      const there = object.metadata[field]?.[name]
      if (there !== undefined && there !== value && !call.options.has('overwrite')) {
        throw new KubectlError(`error: '${name}' already has a value (${there}), and --overwrite is false`)
      }
      values[name] = value
    }
    const manager = field === 'labels' ? 'kubectl-label' : 'kubectl-annotate'
    send(call.client, { path: target.path, type: MERGE, body: { metadata: { [field]: values } }, manager })
    const unset = changes.every((word) => !word.includes('='))
    stdout += `${printed(target)} ${field === 'annotations' ? 'annotated' : unset ? 'unlabeled' : 'labeled'}\n`
  }
  return stdout
}

function scale(call: Call): string {
  const replicas = Number(call.options.get('replicas') ?? Number.NaN)
  if (!Number.isInteger(replicas)) throw new KubectlError('error: required flag(s) "replicas" not set')
  let stdout = ''
  for (const target of targetsOf(call, call.words)) {
    send(call.client, { path: `${target.path}/scale`, type: MERGE, body: { spec: { replicas } }, manager: 'kubectl' })
    stdout += `${printed(target)} scaled\n`
  }
  return stdout
}

const CASCADE: Readonly<Record<string, string>> = {
  background: 'Background',
  foreground: 'Foreground',
  orphan: 'Orphan'
}

function remove(call: Call): string {
  const propagationPolicy = CASCADE[call.options.get('cascade') ?? 'background'] ?? 'Background'
  let stdout = ''
  for (const target of targetsOf(call, call.words)) {
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy }
    call.client.call({ method: 'DELETE', path: target.path, body })
    const { kind } = target
    const resource = kind.group === '' ? kind.kind.toLowerCase() : `${kind.kind.toLowerCase()}.${kind.group}`
    stdout += `${resource} "${target.name}" deleted\n`
  }
  return stdout
}

function restart(call: Call): string {
  const annotations = { 'kubectl.kubernetes.io/restartedAt': formatTimestamp(call.now) }
  const body = { spec: { template: { metadata: { annotations } } } }
  let stdout = ''
  for (const target of targetsOf(call, call.words)) {
    send(call.client, { path: target.path, type: STRATEGIC, body, manager: 'kubectl-rollout' })
    stdout += `${printed(target)} restarted\n`
  }
  return stdout
}
