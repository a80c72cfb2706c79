import type { ResolvedCommandContext } from 'just-bash'
import type { ShellSession } from '../session.ts'
import { type OptionTable, type ParsedOptions, parseOptions } from '../commands/options.ts'
import { type KubeClient, KubectlError, type ResourceKind } from './client.ts'

/** What a kubectl command works with. */
export interface KubectlContext {
  readonly session: ShellSession
  readonly shell: ResolvedCommandContext
  readonly client: KubeClient
  readonly options: ParsedOptions
  /** Words after the command. */
  readonly words: readonly string[]
  readonly namespace: string
  readonly signal: AbortSignal
}

/** What a command prints and how it ends. */
export interface KubectlOutcome {
  readonly stdout: string
  readonly stderr?: string
  readonly exitCode?: number
}

/** Options that every command takes, and those of single commands; one table, since none means two things. */
export const KUBECTL_OPTIONS: OptionTable = {
  '-n': { name: 'namespace', kind: 'value' },
  '--namespace': { name: 'namespace', kind: 'value' },
  '-A': { name: 'all-namespaces', kind: 'flag' },
  '--all-namespaces': { name: 'all-namespaces', kind: 'flag' },
  '-l': { name: 'selector', kind: 'value' },
  '--selector': { name: 'selector', kind: 'value' },
  '--field-selector': { name: 'field-selector', kind: 'value' },
  '-o': { name: 'output', kind: 'value' },
  '--output': { name: 'output', kind: 'value' },
  '-f': { name: 'filename', kind: 'list' },
  '--filename': { name: 'filename', kind: 'list' },
  '-k': { name: 'kustomize', kind: 'value' },
  '--kustomize': { name: 'kustomize', kind: 'value' },
  '-c': { name: 'container', kind: 'value' },
  '--container': { name: 'container', kind: 'value' },
  '-i': { name: 'stdin', kind: 'flag' },
  '--stdin': { name: 'stdin', kind: 'flag' },
  '-t': { name: 'tty', kind: 'flag' },
  '--tty': { name: 'tty', kind: 'flag' },
  '-p': { name: 'patch', kind: 'value' },
  '--patch': { name: 'patch', kind: 'value' },
  '--type': { name: 'type', kind: 'value' },
  '--subresource': { name: 'subresource', kind: 'value' },
  '--replicas': { name: 'replicas', kind: 'value' },
  '--overwrite': { name: 'overwrite', kind: 'flag' },
  '--all': { name: 'all', kind: 'flag' },
  '--for': { name: 'for', kind: 'value' },
  '--timeout': { name: 'timeout', kind: 'value' },
  '--tail': { name: 'tail', kind: 'value' },
  '--no-headers': { name: 'no-headers', kind: 'flag' },
  '--show-labels': { name: 'show-labels', kind: 'flag' },
  '--ignore-not-found': { name: 'ignore-not-found', kind: 'flag' },
  '--wait': { name: 'wait', kind: 'flag' },
  '--server-side': { name: 'server-side', kind: 'flag' },
  '--force-conflicts': { name: 'force-conflicts', kind: 'flag' },
  '--dry-run': { name: 'dry-run', kind: 'value' },
  '--from-literal': { name: 'from-literal', kind: 'list' },
  '--sort-by': { name: 'sort-by', kind: 'value' },
  '--cascade': { name: 'cascade', kind: 'value' },
  '--grace-period': { name: 'grace-period', kind: 'value' },
  '--force': { name: 'force', kind: 'flag' },
  '--record': { name: 'record', kind: 'flag' },
  '--client': { name: 'client', kind: 'flag' }
}

/** Options whose bare form means true but which are commonly written `--wait=false`: kept as values too. */
export function readOptions(args: readonly string[]): ParsedOptions {
  const options = parseOptions(args, KUBECTL_OPTIONS)
  if ('unknown' in options) {
    throw new KubectlError(
      `error: unknown ${options.unknown.startsWith('--') ? 'flag' : 'shorthand flag'}: ${options.unknown}\nSee 'kubectl --help' for usage.`
    )
  }
  if ('missing' in options) throw new KubectlError(`error: flag needs an argument: ${options.missing}`)
  return options
}

/** One object named on the command line. */
export interface Target {
  readonly kind: ResourceKind
  readonly name: string
}

/** Reads `deploy/podinfo deploy/other` or `deploy podinfo other`. */
export function readTargets(client: KubeClient, words: readonly string[]): readonly Target[] {
  const [first, ...names] = words
  if (first === undefined) throw new KubectlError('error: resource(s) were provided, but no name was specified')
  if (first.includes('/')) return words.map((word) => readTarget(client, word))
  const kind = client.resourceOf(first)
  return names.map((name) => ({ kind, name }))
}

/** Reads `deploy/podinfo`. */
export function readTarget(client: KubeClient, word: string): Target {
  const slash = word.indexOf('/')
  if (slash <= 0 || slash === word.length - 1) {
    throw new KubectlError(`error: arguments in resource/name form may not have more than one slash`)
  }
  return { kind: client.resourceOf(word.slice(0, slash)), name: word.slice(slash + 1) }
}
