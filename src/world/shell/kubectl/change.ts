import type { KubeObject } from '../../../kinds/index.ts'
import { formatTimestamp } from '../../../lib/time/index.ts'
import { applyObject, kindOf, readManifest } from './apply.ts'
import { type KubeClient, KubectlError, printedName, statusError } from './client.ts'
import { type KubectlContext, type KubectlOutcome, readTarget, readTargets, type Target } from './context.ts'

const STRATEGIC = 'application/strategic-merge-patch+json'
const MERGE = 'application/merge-patch+json'

interface Container {
  readonly name: string
  readonly image?: string
}

/** `kubectl apply -f`. */
export async function applyManifests(context: KubectlContext): Promise<KubectlOutcome> {
  if (context.options.values.has('kustomize')) {
    throw new KubectlError(
      'error: -k is not modelled in the world shell; name the folder under spec.manifests, or use the real kubectl'
    )
  }
  let stdout = ''
  for (const object of await manifestsOf(context)) {
    const applied = applyObject(context.client, object, context.namespace)
    stdout += `${applied.printed} ${applied.outcome}\n`
  }
  return { stdout }
}

async function manifestsOf(context: KubectlContext): Promise<readonly KubeObject[]> {
  const files = context.options.lists.get('filename') ?? []
  if (files.length === 0) throw new KubectlError('error: must specify one of -f and -k')
  const objects: KubeObject[] = []
  for (const file of files) objects.push(...readManifest(await readText(context, file)))
  return objects
}

async function readText(context: KubectlContext, file: string): Promise<string> {
  if (file === '-') return Buffer.from(String(context.shell.stdin), 'latin1').toString('utf8')
  const path = context.shell.fs.resolvePath(context.shell.cwd, file)
  if (await context.shell.fs.exists(path)) return await context.shell.fs.readFile(path)
  const text = context.session.place.kind === 'terminal' ? context.session.ports.readFile?.(file) : undefined
  if (text === undefined) throw new KubectlError(`error: the path "${file}" does not exist`)
  return text
}

/** `kubectl create -f`, `create namespace`, `create configmap --from-literal`. */
export async function createObjects(context: KubectlContext): Promise<KubectlOutcome> {
  const [noun, name] = context.words
  const objects = noun === undefined ? await manifestsOf(context) : [literalObject(context, noun, name)]
  let stdout = ''
  for (const object of objects) {
    const kind = kindOf(context.client, object)
    const namespace = kind.namespaced ? (object.metadata.namespace ?? context.namespace) : undefined
    const response = context.client.send({
      method: 'POST',
      path: context.client.path(kind, namespace),
      query: { fieldManager: 'kubectl-create', fieldValidation: 'Strict' },
      body: object
    })
    if (response.code >= 400) throw statusError(response)
    stdout += `${printedName(kind, object.metadata.name)} created\n`
  }
  return { stdout }
}

function literalObject(context: KubectlContext, noun: string, name: string | undefined): KubeObject {
  if (name === undefined) throw new KubectlError(`error: exactly one NAME is required, got 0`)
  if (noun === 'ns' || noun === 'namespace') return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
  if (noun === 'configmap' || noun === 'cm') {
    const data = Object.fromEntries((context.options.lists.get('from-literal') ?? []).map(splitPair))
    return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data }
  }
  if (noun === 'serviceaccount' || noun === 'sa')
    return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } }
  throw new KubectlError(`error: create ${noun} is not modelled in the world shell; use -f`)
}

function splitPair(pair: string): readonly [string, string] {
  const equals = pair.indexOf('=')
  return equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)]
}

/** `kubectl delete`. */
export async function deleteObjects(context: KubectlContext): Promise<KubectlOutcome> {
  const { client, options, namespace } = context
  let stdout = ''
  const remove = (target: Target, where: string): void => {
    const response = client.send({
      method: 'DELETE',
      path: client.path(target.kind, where, target.name),
      body: { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: propagation(options.values.get('cascade')) }
    })
    if (response.code === 404 && options.flags.has('ignore-not-found')) return
    if (response.code >= 400) throw statusError(response)
    const printed = printedName(target.kind, '').slice(0, -1)
    stdout += `${printed} "${target.name}" deleted${target.kind.namespaced ? ` from ${where} namespace` : ''}\n`
  }
  if (options.lists.has('filename')) {
    for (const object of await manifestsOf(context)) {
      remove({ kind: kindOf(client, object), name: object.metadata.name }, object.metadata.namespace ?? namespace)
    }
    return { stdout }
  }
  for (const target of selectTargets(context)) remove(target, namespace)
  return { stdout: stdout === '' ? 'No resources found\n' : stdout }
}

function propagation(cascade: string | undefined): string {
  if (cascade === 'orphan' || cascade === 'false') return 'Orphan'
  return cascade === 'foreground' ? 'Foreground' : 'Background'
}

function selectTargets(context: KubectlContext): readonly Target[] {
  const { client, words, options, namespace } = context
  const selector = options.values.get('selector')
  if (selector === undefined && !options.flags.has('all')) return readTargets(client, words)
  const kind = client.resourceOf(words[0] ?? '')
  const list = client.call({
    method: 'GET',
    path: client.path(kind, namespace),
    ...(selector === undefined ? {} : { query: { labelSelector: selector } })
  }) as { readonly items?: readonly KubeObject[] }
  return (list.items ?? []).map((object) => ({ kind, name: object.metadata.name }))
}

interface Patch {
  readonly path: string
  readonly type: string
  readonly body: unknown
  /** Field manager. */
  readonly manager: string
}

function patch(client: KubeClient, { path, type, body, manager }: Patch): KubeObject {
  return client.call({
    method: 'PATCH',
    path,
    query: { fieldManager: manager },
    headers: { 'content-type': type },
    body
  }) as KubeObject
}

/** `kubectl set image deployment/podinfo podinfod=image`. */
export function setImage(context: KubectlContext): KubectlOutcome {
  const { client, namespace, words } = context
  if (words[0] !== 'image') throw new KubectlError(`error: set ${words[0] ?? ''} is not modelled in the world shell`)
  const pairs = words.slice(1).filter((word) => word.includes('='))
  const targets = readTargets(
    client,
    words.slice(1).filter((word) => !word.includes('='))
  )
  let stdout = ''
  for (const target of targets) {
    const path = client.path(target.kind, namespace, target.name)
    const object = client.call({ method: 'GET', path }) as KubeObject
    const containers = containersOf(object)
    const wanted = pairs.map(splitPair)
    const missing = wanted.find(([name]) => name !== '*' && !containers.some((container) => container.name === name))
    if (missing !== undefined) throw new KubectlError(`error: unable to find container named "${missing[0]}"`)
    const changes = containers.flatMap((container) => {
      const image = wanted.findLast(([name]) => name === '*' || name === container.name)?.[1]
      return image === undefined || image === container.image ? [] : [{ name: container.name, image }]
    })
    if (changes.length === 0) continue
    patch(client, {
      path,
      type: STRATEGIC,
      body: { spec: { template: { spec: { containers: changes } } } },
      manager: 'kubectl-set'
    })
    stdout += `${printedName(target.kind, target.name)} image updated\n`
  }
  return { stdout }
}

function containersOf(object: KubeObject): readonly Container[] {
  const spec = object.spec as
    | { readonly template?: { readonly spec?: { readonly containers?: readonly Container[] } } }
    | undefined
  return spec?.template?.spec?.containers ?? []
}

/** `kubectl annotate` and `kubectl label`: `name=value` sets, `name-` removes. */
export function setMetadata(context: KubectlContext, field: 'annotations' | 'labels'): KubectlOutcome {
  const { client, namespace, words, options } = context
  const isChange = (word: string): boolean => word.includes('=') || (word.endsWith('-') && !word.startsWith('-'))
  const changes = words.filter((word, index) => index > 0 && isChange(word))
  const targets = readTargets(
    client,
    words.filter((word) => !changes.includes(word))
  )
  if (changes.length === 0) throw new KubectlError(`error: at least one ${field.slice(0, -1)} update is required`)
  let stdout = ''
  for (const target of targets) {
    const path = client.path(target.kind, namespace, target.name)
    const object = client.call({ method: 'GET', path }) as KubeObject
    const values: Record<string, string | null> = {}
    for (const change of changes) {
      if (!change.includes('=')) values[change.slice(0, -1)] = null
      else {
        const [name, value] = splitPair(change)
        const there = object.metadata[field]?.[name]
        if (there !== undefined && there !== value && !options.flags.has('overwrite')) {
          throw new KubectlError(`error: '${name}' already has a value (${there}), and --overwrite is false`)
        }
        values[name] = value
      }
    }
    const manager = `kubectl-${field === 'labels' ? 'label' : 'annotate'}`
    patch(client, { path, type: MERGE, body: { metadata: { [field]: values } }, manager })
    const unset = changes.every((change) => !change.includes('='))
    stdout += `${printedName(target.kind, target.name)} ${field === 'annotations' ? 'annotated' : unset ? 'unlabeled' : 'labeled'}\n`
  }
  return { stdout }
}

/** `kubectl scale --replicas`. */
export function scaleObjects(context: KubectlContext): KubectlOutcome {
  const { client, namespace, words, options } = context
  const replicas = Number(options.values.get('replicas') ?? Number.NaN)
  if (!Number.isInteger(replicas)) throw new KubectlError('error: required flag(s) "replicas" not set')
  let stdout = ''
  for (const target of readTargets(client, words)) {
    const path = `${client.path(target.kind, namespace, target.name)}/scale`
    patch(client, { path, type: MERGE, body: { spec: { replicas } }, manager: 'kubectl' })
    stdout += `${printedName(target.kind, target.name)} scaled\n`
  }
  return { stdout }
}

/** `kubectl patch --type strategic|merge|json -p`. */
export function patchObject(context: KubectlContext): KubectlOutcome {
  const { client, namespace, words, options } = context
  const text = options.values.get('patch')
  if (text === undefined)
    throw new KubectlError('error: must specify --patch or --patch-file containing the contents of the patch')
  const types: Readonly<Record<string, string>> = {
    strategic: STRATEGIC,
    merge: MERGE,
    json: 'application/json-patch+json'
  }
  const type = types[options.values.get('type') ?? 'strategic']
  if (type === undefined)
    throw new KubectlError(
      `error: --type must be one of [json merge strategic], not "${options.values.get('type') ?? ''}"`
    )
  const body: unknown = parsePatch(text)
  let stdout = ''
  for (const target of readTargets(client, words)) {
    const path = client.path(target.kind, namespace, target.name)
    const before = client.call({ method: 'GET', path }) as KubeObject
    const subresource = options.values.get('subresource')
    const after = patch(client, {
      path: subresource === undefined ? path : `${path}/${subresource}`,
      type,
      body,
      manager: 'kubectl-patch'
    })
    const same = after.metadata.resourceVersion === before.metadata.resourceVersion
    stdout += `${printedName(target.kind, target.name)} patched${same ? ' (no change)' : ''}\n`
  }
  return { stdout }
}

function parsePatch(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const documents = readManifest(text)
    if (documents.length === 1 && typeof documents[0] === 'object') return documents[0]
    throw new KubectlError(`error: unable to parse "${text}": ${cause instanceof Error ? cause.message : ''}`)
  }
}

/** `kubectl rollout restart`. */
export function restartRollout(context: KubectlContext, words: readonly string[]): KubectlOutcome {
  const { client, namespace, session } = context
  let stdout = ''
  for (const target of readTargets(client, words)) {
    const annotations = { 'kubectl.kubernetes.io/restartedAt': formatTimestamp(session.ports.clock.now()) }
    const body = { spec: { template: { metadata: { annotations } } } }
    const path = client.path(target.kind, namespace, target.name)
    patch(client, { path, type: STRATEGIC, body, manager: 'kubectl-rollout' })
    stdout += `${printedName(target.kind, target.name)} restarted\n`
  }
  return { stdout }
}

/** The single object a command like `rollout status` or `logs` is about. */
export function singleTarget(context: KubectlContext, words: readonly string[]): Target {
  const [first, second] = words
  if (first === undefined) throw new KubectlError('error: required resource not specified')
  if (second === undefined) return readTarget(context.client, first)
  return { kind: context.client.resourceOf(first), name: second }
}
