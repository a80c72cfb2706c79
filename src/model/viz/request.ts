import { parseGoDuration } from '../../lib/time/index.ts'
import { LinkerdError } from './ask.ts'
import { ALL_TYPES, parseResource, parseResources, type ResourceType, type StatResource } from './resource.ts'

/** Shortest window of statistics. @see linkerd2 edge-26.8.3 viz/metrics-api/util/api_utils.go */
const WINDOW_MS_MIN = 15_000

/** Flags and words of `linkerd stat` as typed. */
export interface StatFlags {
  readonly resources: readonly string[]
  readonly namespace?: string
  readonly allNamespaces: boolean
  readonly from?: string
  readonly fromNamespace?: string
  readonly to?: string
  readonly toNamespace?: string
  /** As typed, a Go duration. */
  readonly timeWindow: string
  readonly output: string
  readonly selector?: string
  readonly unmeshed: boolean
}

/** One resource type whose statistics are wanted. */
export interface StatRequest {
  readonly resource: StatResource
  readonly selector?: string
  /** As typed, for the range of the queries. */
  readonly window: string
  readonly windowMs: number
  readonly outbound?: { readonly side: 'from' | 'to'; readonly resource: StatResource }
}

/**
 * Turns the flags of `linkerd stat` into requests, in Linkerd's order of checks and its words.
 * @param defaultNamespace - that of the kubeconfig's context
 * @see linkerd2 edge-26.8.3 viz/cmd/stat.go buildStatSummaryRequests, viz/metrics-api/stat_summary.go StatSummary
 * @throws LinkerdError
 */
export function buildStatRequests(flags: StatFlags, defaultNamespace: string): readonly StatRequest[] {
  try {
    return build(flags, defaultNamespace)
  } catch (error) {
    if (!(error instanceof LinkerdError)) throw error
    throw new LinkerdError(`error creating metrics request while making stats request: ${error.message}`)
  }
}

function build(flags: StatFlags, defaultNamespace: string): readonly StatRequest[] {
  const namespace = flags.namespace ?? defaultNamespace
  const resources = parseResources(namespace, flags.resources)
  for (const { type } of resources) checkFlags(flags, type, defaultNamespace)
  const windowMs = windowLength(flags.timeWindow)
  return resources.flatMap((resource) => {
    if (flags.allNamespaces && resource.name !== '') {
      throw new LinkerdError('stats for a resource cannot be retrieved by name across all namespaces')
    }
    const scope = flags.allNamespaces ? '' : resource.namespace
    const types = resource.type === 'all' ? ALL_TYPES : [resource.type]
    return types.map((type): StatRequest => {
      const outbound = outboundOf(flags, type, flags.allNamespaces ? '' : namespace)
      return {
        resource: { ...resource, type, namespace: scope },
        window: flags.timeWindow,
        windowMs,
        ...(flags.selector === undefined ? {} : { selector: flags.selector }),
        ...(outbound === undefined ? {} : { outbound })
      }
    })
  })
}

function outboundOf(flags: StatFlags, type: ResourceType, namespace: string): StatRequest['outbound'] {
  const to = other(flags.to, flags.toNamespace, type, namespace)
  if (to !== undefined) return { side: 'to', resource: to }
  const from = other(flags.from, flags.fromNamespace, type, namespace)
  if (from === undefined) return undefined
  if (from.type === 'service' || from.type === 'trafficsplit') {
    throw new LinkerdError(
      `${from.type} is not supported as a target on 'from' queries, or as a target with 'to' queries`
    )
  }
  return { side: 'from', resource: from }
}

/** The other end of a request; a namespace alone stands for everything of the asked type in it. */
function other(
  word: string | undefined,
  ownNamespace: string | undefined,
  type: ResourceType,
  namespace: string
): StatResource | undefined {
  if (word === undefined && ownNamespace === undefined) return undefined
  const scope = ownNamespace ?? namespace
  const found = word === undefined ? { type, namespace: scope, name: '' } : parseResource(scope, word)
  if (found.type === 'all') throw new LinkerdError("resource type 'all' is not supported as a filter")
  return found
}

function checkFlags(flags: StatFlags, type: ResourceType, defaultNamespace: string): void {
  const otherThanDefault = flags.namespace !== undefined && flags.namespace !== defaultNamespace
  const exclusive = (one: string, two: string): never => {
    throw new LinkerdError(`--${one} and --${two} flags are mutually exclusive`)
  }
  if (flags.to !== undefined && flags.from !== undefined) exclusive('to', 'from')
  if (flags.toNamespace !== undefined && flags.fromNamespace !== undefined) exclusive('to-namespace', 'from-namespace')
  if (flags.allNamespaces && otherThanDefault) exclusive('all-namespaces', 'namespace')
  if (type === 'namespace') {
    const flag =
      (flags.toNamespace !== undefined && 'to-namespace') ||
      (flags.fromNamespace !== undefined && 'from-namespace') ||
      (otherThanDefault && 'namespace')
    if (flag !== false) throw new LinkerdError(`--${flag} flag is incompatible with namespace resource type`)
  }
  if (!['table', 'json', 'wide'].includes(flags.output)) {
    throw new LinkerdError('--output currently only supports table, json and wide')
  }
}

function windowLength(text: string): number {
  const windowMs = parseGoDuration(text)
  if (windowMs === undefined) throw new LinkerdError(`time: invalid duration ${JSON.stringify(text)}`)
  if (windowMs < WINDOW_MS_MIN) throw new LinkerdError('metrics time window needs to be at least 15s')
  return windowMs
}
