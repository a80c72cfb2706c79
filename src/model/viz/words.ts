import { LinkerdError } from './ask.ts'
import type { StatFlags } from './request.ts'

/** Port of the dashboard where none is asked for. @see linkerd2 edge-26.8.3 viz/cmd/dashboard.go */
const DASHBOARD_PORT = 50_750

/** Which cluster a command talks to, as typed. */
export interface ClusterFlags {
  readonly kubeconfig?: string
  readonly context?: string
}

/** Flags of `linkerd dashboard` as typed. */
export interface DashboardFlags {
  /** 0: any free one. */
  readonly port: number
  readonly show: 'linkerd' | 'url'
}

/** A command line of `linkerd`. */
export type LinkerdWords =
  | { readonly command: 'help' | 'install'; readonly text: string }
  | { readonly command: 'stat'; readonly cluster: ClusterFlags; readonly flags: StatFlags }
  | { readonly command: 'dashboard'; readonly cluster: ClusterFlags; readonly flags: DashboardFlags }
  | { readonly command: 'check'; readonly cluster: ClusterFlags; readonly pre: boolean }

type Command = 'stat' | 'dashboard' | 'check' | 'install'

const COMMANDS: readonly string[] = ['stat', 'dashboard', 'check', 'install'] satisfies Command[]

/** Words in front of a command and the namespace in which they live; without one: the control plane. */
const EXTENSIONS: Readonly<Record<string, string>> = { viz: 'linkerd-viz', smi: 'linkerd-smi' }

interface Flag {
  readonly name: string
  readonly short?: string
  /** Absent: takes no value. */
  readonly value?: string
  readonly help: string
  readonly of?: Command
}

const FLAGS: readonly Flag[] = [
  { name: 'namespace', short: 'n', value: 'string', help: 'namespace of the resource', of: 'stat' },
  { name: 'all-namespaces', short: 'A', help: 'resources of all namespaces', of: 'stat' },
  { name: 'from', value: 'resource', help: 'only what that resource sent', of: 'stat' },
  { name: 'from-namespace', value: 'string', help: 'namespace of --from (default: --namespace)', of: 'stat' },
  { name: 'to', value: 'resource', help: 'only what went to that resource', of: 'stat' },
  { name: 'to-namespace', value: 'string', help: 'namespace of --to (default: --namespace)', of: 'stat' },
  { name: 'time-window', short: 't', value: 'string', help: 'window, at least 15s (default: 1m)', of: 'stat' },
  { name: 'output', short: 'o', value: 'string', help: 'table, wide or json', of: 'stat' },
  { name: 'selector', short: 'l', value: 'string', help: 'only resources with these labels', of: 'stat' },
  { name: 'unmeshed', help: 'resources outside the mesh too', of: 'stat' },
  { name: 'port', short: 'p', value: 'int', help: `port on localhost (default: ${DASHBOARD_PORT})`, of: 'dashboard' },
  { name: 'show', value: 'string', help: 'linkerd: open a browser; url: only print the URL', of: 'dashboard' },
  { name: 'pre', help: 'only what an installation needs', of: 'check' },
  { name: 'crds', help: 'accepted; resource definitions are always there', of: 'install' },
  { name: 'kubeconfig', value: 'file', help: 'kubeconfig (default: $KUBECONFIG)' },
  { name: 'context', value: 'string', help: 'context of the kubeconfig' },
  { name: 'linkerd-namespace', short: 'L', value: 'string', help: 'accepted; the twin has one control plane' },
  { name: 'help', short: 'h', help: 'this text' }
]

/** Commands of the real program and why the twin has none. */
const UNMODELLED: Readonly<Record<string, string>> = {
  upgrade: 'the mesh is always there',
  uninstall: 'the mesh is always there',
  inject: 'annotate the namespace or the pod template: linkerd.io/inject=enabled',
  edges: 'see stat --from and --to',
  tap: 'requests are not kept one by one',
  top: 'requests are not kept one by one',
  routes: 'see stat'
}

const HELP = `The twin's own linkerd: statistics of its mesh, from its Prometheus and its Kubernetes API.

Usage:
  linkerd [viz] stat [flags] (RESOURCES)
  linkerd [viz] dashboard [flags]
  linkerd [viz] check [flags]
  linkerd [viz|smi] install [flags]

RESOURCES: TYPE, TYPE NAME…, TYPE/NAME…; types: deploy, pods, ns, svc, ts, rs, ds, sts, jobs, cronjobs, rc, all
`

/**
 * Reads a command line of `linkerd`; flags may stand anywhere, `viz` may be left out as before 2.10.
 * @param words - what is typed behind `linkerd`
 * @throws LinkerdError in cobra's words
 */
export function parseLinkerd(words: readonly string[]): LinkerdWords {
  const { given, rest } = splitWords(words)
  const extension = EXTENSIONS[rest[0] ?? '']
  const [first = 'help', ...more] = extension === undefined ? rest : rest.slice(1)
  if (given.has('help') || first === 'help') return { command: 'help', text: helpText(first) }
  if (!isCommand(first)) throw unknownCommand(first)
  for (const flag of FLAGS) {
    if (given.has(flag.name) && flag.of !== undefined && flag.of !== first) throw unknownFlag(`--${flag.name}`)
  }
  const cluster = optional({ kubeconfig: given.get('kubeconfig'), context: given.get('context') })
  if (first === 'stat') return { command: 'stat', cluster, flags: statFlags(given, more) }
  if (more[0] !== undefined) throw new LinkerdError(`unknown command "${more[0]}" for "linkerd ${first}"`)
  if (first === 'check') return { command: 'check', cluster, pre: given.has('pre') }
  if (first === 'install') return { command: 'install', text: installText(extension ?? 'linkerd') }
  return { command: 'dashboard', cluster, flags: dashboardFlags(given) }
}

function isCommand(word: string): word is Command {
  return COMMANDS.includes(word)
}

type Given = ReadonlyMap<string, string>

function statFlags(given: Given, resources: readonly string[]): StatFlags {
  if (resources.length === 0) throw new LinkerdError('requires at least 1 arg(s), only received 0')
  return {
    resources,
    allNamespaces: given.has('all-namespaces'),
    unmeshed: given.has('unmeshed'),
    timeWindow: given.get('time-window') || '1m',
    output: given.get('output') ?? 'table',
    ...optional({
      namespace: given.get('namespace') || undefined,
      from: given.get('from') || undefined,
      fromNamespace: given.get('from-namespace') || undefined,
      to: given.get('to') || undefined,
      toNamespace: given.get('to-namespace') || undefined,
      selector: given.get('selector') || undefined
    })
  }
}

function dashboardFlags(given: Given): DashboardFlags {
  const text = given.get('port') ?? String(DASHBOARD_PORT)
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535) {
    throw new LinkerdError(`invalid argument "${text}" for "-p, --port" flag: expected a port from 0 to 65535`)
  }
  const show = given.get('show') ?? 'linkerd'
  if (show === 'grafana') throw new LinkerdError('--show grafana: the twin has no Grafana')
  if (show !== 'linkerd' && show !== 'url') {
    throw new LinkerdError(`unknown value for 'show' param, was: ${show}, must be one of: linkerd, url`)
  }
  return { port, show }
}

function splitWords(words: readonly string[]): { readonly given: Given; readonly rest: readonly string[] } {
  const given = new Map<string, string>()
  const rest: string[] = []
  const queue = [...words]
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === '--') return { given, rest: [...rest, ...queue] }
    if (!word.startsWith('-') || word === '-') rest.push(word)
    else if (word.startsWith('--')) takeLong(word, queue, given)
    else takeShort(word, queue, given)
  }
  return { given, rest }
}

function takeLong(word: string, queue: string[], given: Map<string, string>): void {
  const [, name = '', value] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? []
  const flag = FLAGS.find((one) => one.name === name)
  if (flag === undefined) throw unknownFlag(`--${name}`)
  if (flag.value === undefined) {
    if (value !== 'false') given.set(name, 'true')
    return
  }
  const taken = value ?? queue.shift()
  if (taken === undefined) throw new LinkerdError(`flag needs an argument: --${name}`)
  given.set(name, taken)
}

/** `-n test`, `-ntest`, `-n=test`, `-A`, and several in one word. */
function takeShort(word: string, queue: string[], given: Map<string, string>): void {
  for (let at = 1; at < word.length; at += 1) {
    const letter = word.charAt(at)
    const flag = FLAGS.find((one) => one.short === letter)
    if (flag === undefined) throw new LinkerdError(`unknown shorthand flag: '${letter}' in ${word}`)
    if (flag.value === undefined) {
      given.set(flag.name, 'true')
      continue
    }
    const attached = word.slice(at + 1).replace(/^=/, '')
    const taken = word.length > at + 1 ? attached : queue.shift()
    if (taken === undefined) throw new LinkerdError(`flag needs an argument: '${letter}' in ${word}`)
    given.set(flag.name, taken)
    return
  }
}

function unknownFlag(flag: string): LinkerdError {
  return new LinkerdError(`unknown flag: ${flag}`)
}

function unknownCommand(word: string): LinkerdError {
  const why = UNMODELLED[word]
  if (why !== undefined) return new LinkerdError(`linkerd ${word} is not modelled by the twin: ${why}`)
  return new LinkerdError(`unknown command "${word}" for "linkerd"`)
}

/** `linkerd install | kubectl apply -f -` has something to apply: the namespace of what is there already. */
function installText(namespace: string): string {
  return `# The twin's mesh is always there; this is the namespace it lives in.
apiVersion: v1
kind: Namespace
metadata:
  name: ${namespace}
`
}

function helpText(command: string): string {
  const shown = FLAGS.filter((flag) => flag.of === undefined || flag.of === command || command === 'help')
  const lines = shown.map(({ short, name, value = '', help }) => {
    const left = `${short === undefined ? '    ' : `-${short}, `}--${name} ${value}`
    return `  ${left.padEnd(34)}${help}\n`
  })
  return `${HELP}\nFlags:\n${lines.join('')}`
}

function optional<T extends Readonly<Record<string, string | undefined>>>(
  values: T
): { readonly [Key in keyof T]?: string } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    readonly [Key in keyof T]?: string
  }
}
