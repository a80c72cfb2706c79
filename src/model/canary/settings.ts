import { parseGoDuration } from '../../lib/time/index.ts'
import { resolveQuirks, type Quirks } from './quirks.ts'

/** Where global alerts go. */
export interface GlobalReceiver {
  readonly type: 'slack' | 'msteams'
  readonly url: string
  readonly token: string
  readonly proxy: string
  readonly username: string
  readonly channel: string
}

/** Everything that flags and environment decide, resolved once. */
export interface ControllerSettings {
  readonly meshProvider: string
  readonly metricsServer: string
  /** Only this namespace is watched; empty: all. */
  readonly namespace: string
  readonly selectorLabels: readonly string[]
  readonly includeLabelPrefix: readonly string[]
  readonly configTracking: boolean
  readonly ingressAnnotationsPrefix: string
  readonly ingressClass: string
  readonly noCrossNamespaceRefs: boolean
  readonly eventWebhook: string
  readonly clusterName: string
  readonly globalReceiver: GlobalReceiver | undefined
  readonly controlLoopIntervalMs: number
  /** How many workers drain the queue of changed canaries. */
  readonly threadiness: number
  /** Where metrics and health are served. */
  readonly port: number
  readonly leaderElection: boolean
  readonly leaderElectionNamespace: string
  readonly quirks: Quirks
  /** How many Authorization values the cached headers of a metric template have gathered in this process. */
  readonly gatheredHeaders: WeakMap<object, number>
}

/** Input of {@link resolveSettings}. */
export interface SettingsOptions {
  /** Flags without dashes, e.g. `{ 'mesh-provider': 'linkerd' }`. */
  readonly flags?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  /** Oddities of Flagger to switch off, by name. */
  readonly quirksOff?: readonly string[]
}

/**
 * Flags and environment with their defaults; the environment beats a flag when it is not empty. Besides Flagger's own
 * flags there is `quirks-off`: names of oddities to switch off, with commas between.
 * @throws TwinError TWIN_USAGE for an unknown oddity
 * @see fluxcd/flagger cmd/flagger/main.go 1.44.0
 */
export function resolveSettings(options: SettingsOptions = {}): ControllerSettings {
  const flags = options.flags ?? {}
  const env = options.env ?? {}
  const flag = (name: string, fallback: string): string => flags[name] ?? fallback
  const either = (variable: string, name: string): string =>
    env[variable] !== undefined && env[variable] !== '' ? env[variable] : flag(name, '')
  return {
    meshProvider: flag('mesh-provider', 'istio'),
    metricsServer: flag('metrics-server', 'http://prometheus:9090'),
    namespace: flag('namespace', ''),
    selectorLabels: flag('selector-labels', 'app,name,app.kubernetes.io/name').split(','),
    includeLabelPrefix: flag('include-label-prefix', '').split(','),
    configTracking: flag('enable-config-tracking', 'true') !== 'false',
    ingressAnnotationsPrefix: flag('ingress-annotations-prefix', 'nginx.ingress.kubernetes.io'),
    ingressClass: flag('ingress-class', ''),
    noCrossNamespaceRefs: isOn(flag('no-cross-namespace-refs', 'false')),
    eventWebhook: either('EVENT_WEBHOOK_URL', 'event-webhook'),
    clusterName: flag('cluster-name', ''),
    globalReceiver: globalReceiver(flag, either),
    controlLoopIntervalMs: parseGoDuration(flag('control-loop-interval', '10s')) ?? 10_000,
    threadiness: wholeNumber(flag('threadiness', '2'), 2),
    port: wholeNumber(flag('port', '8080'), 8080),
    leaderElection: isOn(flag('enable-leader-election', 'false')),
    leaderElectionNamespace: flag('leader-election-namespace', 'kube-system'),
    quirks: resolveQuirks([...(options.quirksOff ?? []), ...names(flag('quirks-off', ''))]),
    gatheredHeaders: new WeakMap()
  }
}

/** Flags as a command line writes them (`-mesh-provider=istio`, `-no-cross-namespace-refs`) to a record. */
export function parseFlags(argumentList: readonly string[]): Record<string, string> {
  const flags: Record<string, string> = {}
  for (const argument of argumentList) {
    const match = /^--?([^=]+)(?:=(.*))?$/s.exec(argument)
    if (match?.[1] !== undefined) flags[match[1]] = match[2] ?? 'true'
  }
  return flags
}

function names(text: string): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

function wholeNumber(text: string, fallback: number): number {
  const value = Number(text)
  return Number.isInteger(value) && value > 0 ? value : fallback
}

function isOn(text: string): boolean {
  return text !== 'false' && text !== ''
}

function globalReceiver(
  flag: (name: string, fallback: string) => string,
  either: (variable: string, name: string) => string
): GlobalReceiver | undefined {
  const teams = either('MSTEAMS_URL', 'msteams-url')
  if (teams !== '') {
    const proxy = either('MSTEAMS_PROXY_URL', 'msteams-proxy-url')
    return { type: 'msteams', url: teams, token: '', proxy, username: '', channel: '' }
  }
  const url = either('SLACK_URL', 'slack-url')
  const channel = flag('slack-channel', '')
  const username = flag('slack-user', 'flagger')
  if (url === '') return undefined
  const token = either('SLACK_TOKEN', 'slack-token')
  return { type: 'slack', url, token, proxy: either('SLACK_PROXY_URL', 'slack-proxy-url'), username, channel }
}
