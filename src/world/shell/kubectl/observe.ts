import { stringify } from 'yaml'
import type { KubeObject } from '../../../kinds/index.ts'
import { parseGoDuration } from '../../../lib/time/index.ts'
import { sleepSession } from '../session.ts'
import { quote } from '../commands/time.ts'
import { KubectlError, printedName } from './client.ts'
import { singleTarget } from './change.ts'
import { type KubectlContext, type KubectlOutcome, readTargets, type Target } from './context.ts'
import { align } from './get.ts'
import { renderJsonPath } from './jsonpath.ts'

/** Simulated milliseconds between two looks of a waiting command. */
const POLL_MS = 500

/** kubectl's default time-out of `wait`. */
const WAIT_MS_DEFAULT = 30_000

interface DeploymentLike extends KubeObject {
  readonly spec?: { readonly replicas?: number; readonly selector?: { readonly matchLabels?: Record<string, string> } }
  readonly status?: {
    readonly observedGeneration?: number
    readonly replicas?: number
    readonly updatedReplicas?: number
    readonly availableReplicas?: number
    readonly conditions?: readonly Condition[]
  }
}

interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string
}

/** `kubectl rollout status`: waits in simulated time, in upstream's words (kubectl polymorphichelpers, 1.34). */
export async function rolloutStatus(context: KubectlContext, words: readonly string[]): Promise<KubectlOutcome> {
  const target = singleTarget(context, words)
  const limitMs = parseGoDuration(context.options.values.get('timeout') ?? '0s') ?? 0
  const startMs = context.session.ports.clock.now()
  let stdout = ''
  let last = ''
  for (;;) {
    const deployment = read(context, target) as DeploymentLike
    const { message, done, failed } = rolloutMessage(deployment)
    if (failed) return { stdout, stderr: `error: ${message}\n`, exitCode: 1 }
    if (message !== last) stdout += `${message}\n`
    last = message
    if (done) return { stdout }
    if (limitMs > 0 && context.session.ports.clock.now() - startMs >= limitMs) {
      return { stdout, stderr: 'error: timed out waiting for the condition\n', exitCode: 1 }
    }
    await sleepSession(context.session, POLL_MS, context.signal)
    if (context.signal.aborted) return { stdout, exitCode: 130 }
  }
}

function rolloutMessage(deployment: DeploymentLike): {
  readonly message: string
  readonly done: boolean
  readonly failed: boolean
} {
  const name = deployment.metadata.name
  const status = deployment.status ?? {}
  const going = (message: string): ReturnType<typeof rolloutMessage> => ({ message, done: false, failed: false })
  if ((deployment.metadata.generation ?? 0) > (status.observedGeneration ?? 0)) {
    return going('Waiting for deployment spec update to be observed...')
  }
  const progressing = status.conditions?.find((condition) => condition.type === 'Progressing')
  if (progressing?.reason === 'ProgressDeadlineExceeded') {
    return { message: `deployment "${name}" exceeded its progress deadline`, done: false, failed: true }
  }
  const wanted = deployment.spec?.replicas ?? 1
  const updated = status.updatedReplicas ?? 0
  const waiting = `Waiting for deployment "${name}" rollout to finish:`
  if (updated < wanted) return going(`${waiting} ${updated} out of ${wanted} new replicas have been updated...`)
  if ((status.replicas ?? 0) > updated) {
    return going(`${waiting} ${(status.replicas ?? 0) - updated} old replicas are pending termination...`)
  }
  const available = status.availableReplicas ?? 0
  if (available < updated) return going(`${waiting} ${available} of ${updated} updated replicas are available...`)
  return { message: `deployment "${name}" successfully rolled out`, done: true, failed: false }
}

function read(context: KubectlContext, target: Target): KubeObject {
  const path = context.client.path(target.kind, context.namespace, target.name)
  return context.client.call({ method: 'GET', path }) as KubeObject
}

/** `kubectl wait --for=condition=Type[=value] | --for=delete | --for=jsonpath='{…}'=value`. */
export async function waitFor(context: KubectlContext): Promise<KubectlOutcome> {
  const wanted = context.options.values.get('for')
  if (wanted === undefined) throw new KubectlError('error: one of --for is required')
  const limitMs = parseGoDuration(context.options.values.get('timeout') ?? '') ?? WAIT_MS_DEFAULT
  const startMs = context.session.ports.clock.now()
  let stdout = ''
  for (const target of readTargets(context.client, context.words)) {
    while (!isMet(context, target, wanted)) {
      if (context.session.ports.clock.now() - startMs >= limitMs) {
        const stderr = `error: timed out waiting for the condition on ${target.kind.resource}/${target.name}\n`
        return { stdout, stderr, exitCode: 1 }
      }
      await sleepSession(context.session, POLL_MS, context.signal)
      if (context.signal.aborted) return { stdout, exitCode: 130 }
    }
    stdout += `${printedName(target.kind, target.name)} ${wanted === 'delete' ? 'deleted' : 'condition met'}\n`
  }
  return { stdout }
}

function isMet(context: KubectlContext, target: Target, wanted: string): boolean {
  const path = context.client.path(target.kind, context.namespace, target.name)
  const response = context.client.send({ method: 'GET', path })
  if (wanted === 'delete') return response.code === 404
  const object = context.client.call({ method: 'GET', path }) as DeploymentLike
  const condition = /^condition=([^=]+)(?:=(.+))?$/.exec(wanted)
  if (condition !== null) {
    const found = object.status?.conditions?.find((one) => one.type.toLowerCase() === condition[1]?.toLowerCase())
    return found?.status.toLowerCase() === (condition[2] ?? 'True').toLowerCase()
  }
  const jsonpath = /^jsonpath=['"]?(\{.*\})['"]?(?:=(.*))?$/.exec(wanted)
  if (jsonpath === null) throw new KubectlError(`error: unrecognized condition: "${wanted}"`)
  const value = renderJsonPath(jsonpath[1] ?? '', object)
  return jsonpath[2] === undefined ? value !== '' : value === jsonpath[2]
}

/** `kubectl logs pod|deployment/name`. Following belongs to the real kubectl. */
export function printLogs(context: KubectlContext): KubectlOutcome {
  const { options, session, namespace } = context
  const pod = podOf(context, context.words)
  const lines = session.ports.logs(namespace, pod, options.values.get('container'))
  if (lines === undefined)
    throw new KubectlError(`Error from server (BadRequest): the container of pod "${pod}" is waiting to start`)
  const tail = Number(options.values.get('tail') ?? -1)
  const shown = tail >= 0 ? lines.slice(Math.max(0, lines.length - tail)) : lines
  return { stdout: shown.map((line) => `${line}\n`).join('') }
}

/** A pod's name, given as such, by its controller, or by a selector. */
function podOf(context: KubectlContext, words: readonly string[]): string {
  const { client, namespace, options } = context
  const [first] = words
  const selector = options.values.get('selector')
  if (first !== undefined && !first.includes('/')) return first
  let labels = selector
  if (first !== undefined) {
    const target = singleTarget(context, [first])
    if (target.kind.resource === 'pods') return target.name
    const object = read(context, target) as DeploymentLike
    labels = Object.entries(object.spec?.selector?.matchLabels ?? {})
      .map(([name, value]) => `${name}=${value}`)
      .join(',')
  }
  if (labels === undefined || labels === '')
    throw new KubectlError('error: expected POD or TYPE/NAME is a required argument')
  const pods = client.call({
    method: 'GET',
    path: `/api/v1/namespaces/${namespace}/pods`,
    query: { labelSelector: labels }
  }) as { readonly items?: readonly KubeObject[] }
  const items = pods.items ?? []
  const running = items.find((pod) => (pod.status as { readonly phase?: string } | undefined)?.phase === 'Running')
  const found = running ?? items[0]
  if (found === undefined) throw new KubectlError('error: no matching resources found')
  return found.metadata.name
}

/** `kubectl exec pod|deploy/name -- command`. */
export async function execInPod(
  context: KubectlContext,
  words: readonly string[],
  run: (
    pod: string,
    command: string
  ) => Promise<{ readonly stdout: string; readonly stderr: string; readonly exitCode: number }>
): Promise<KubectlOutcome> {
  const [name, ...command] = words
  if (name === undefined) throw new KubectlError('error: pod, type/name or --filename must be specified')
  if (command.length === 0) throw new KubectlError('error: you must specify at least one command for the container')
  const pod = podOf(context, [name])
  const outcome = await run(pod, command.map(quote).join(' '))
  const stderr =
    outcome.exitCode === 0 ? outcome.stderr : `${outcome.stderr}command terminated with exit code ${outcome.exitCode}\n`
  return { stdout: outcome.stdout, stderr, exitCode: outcome.exitCode }
}

/** `kubectl describe`: every field of the object, and the events about it. */
export function describeObjects(context: KubectlContext): KubectlOutcome {
  const { client, words, namespace } = context
  let targets = readTargets(client, words)
  if (targets.length === 0) {
    const kind = client.resourceOf(words[0] ?? '')
    const list = client.call({ method: 'GET', path: client.path(kind, namespace) }) as {
      readonly items?: readonly KubeObject[]
    }
    targets = (list.items ?? []).map((object) => ({ kind, name: object.metadata.name }))
  }
  return { stdout: targets.map((target) => describeObject(context, target)).join('\n\n') }
}

function describeObject(context: KubectlContext, target: Target): string {
  const object = read(context, target)
  const { name, namespace, labels, annotations, managedFields: _managedFields, ...metadata } = object.metadata
  const { apiVersion, kind, metadata: _metadata, ...body } = object
  const head = align([
    ['Name:', name],
    ...(namespace === undefined ? [] : [['Namespace:', namespace]]),
    ['Labels:', mapText(labels)],
    ['Annotations:', mapText(annotations)],
    ['API Version:', apiVersion],
    ['Kind:', kind]
  ])
  const rest = stringify(titled({ metadata, ...body }), { lineWidth: 0, aliasDuplicateObjects: false })
  return `${head}${rest}${eventText(context, target)}`
}

function mapText(map: Readonly<Record<string, string>> | undefined): string {
  const entries = Object.entries(map ?? {})
  return entries.length === 0 ? '<none>' : entries.map(([name, value]) => `${name}: ${value.trim()}`).join('; ')
}

/** Field names as `kubectl describe` prints them: `progressDeadlineSeconds` → `Progress Deadline Seconds`. */
function titled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(titled)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([field, inner]) => {
      const spaced = field.replace(/([a-z0-9])([A-Z])/g, '$1 $2')
      return [spaced.charAt(0).toUpperCase() + spaced.slice(1), titled(inner)]
    })
  )
}

interface EventLike extends KubeObject {
  readonly type?: string
  readonly reason?: string
  readonly message?: string
  readonly lastTimestamp?: string
  readonly source?: { readonly component?: string }
}

function eventText(context: KubectlContext, target: Target): string {
  const namespace = target.kind.namespaced ? context.namespace : 'default'
  const list = context.client.call({
    method: 'GET',
    path: `/api/v1/namespaces/${namespace}/events`,
    query: { fieldSelector: `involvedObject.name=${target.name},involvedObject.kind=${target.kind.kind}` }
  }) as { readonly items?: readonly EventLike[] }
  const events = list.items ?? []
  if (events.length === 0) return 'Events:  <none>\n'
  const rows = events.map((event) => [
    `  ${event.type ?? ''}`,
    event.reason ?? '',
    event.lastTimestamp ?? '',
    event.source?.component ?? '',
    event.message ?? ''
  ])
  return `Events:\n${align([['  Type', 'Reason', 'Last Seen', 'From', 'Message'], ...rows])}`
}
