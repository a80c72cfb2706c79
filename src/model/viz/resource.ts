import { LinkerdError } from './ask.ts'

/** Kinds that have statistics, in the words Linkerd uses for them; `all` stands for {@link ALL_TYPES}. */
export type ResourceType =
  | 'all'
  | 'cronjob'
  | 'daemonset'
  | 'deployment'
  | 'job'
  | 'namespace'
  | 'pod'
  | 'replicaset'
  | 'replicationcontroller'
  | 'service'
  | 'statefulset'
  | 'trafficsplit'

/** A resource as named on the command line; an empty name stands for all of its type, an empty namespace for all. */
export interface StatResource {
  readonly type: ResourceType
  readonly namespace: string
  readonly name: string
}

interface TypeNames {
  readonly short: string
  readonly plural: string
  /** Root of the API group; absent where the API has no such kind. */
  readonly root?: string
}

/**
 * Names of the types, in the order their tables are printed in.
 * @see linkerd2 edge-26.8.3 pkg/k8s/k8s.go AllResources, resourceNames; trafficsplit: 2.9.5
 */
const TYPES: Readonly<Record<ResourceType, TypeNames>> = {
  all: { short: 'all', plural: 'all' },
  cronjob: { short: 'cj', plural: 'cronjobs', root: '/apis/batch/v1' },
  daemonset: { short: 'ds', plural: 'daemonsets', root: '/apis/apps/v1' },
  deployment: { short: 'deploy', plural: 'deployments', root: '/apis/apps/v1' },
  job: { short: 'job', plural: 'jobs', root: '/apis/batch/v1' },
  namespace: { short: 'ns', plural: 'namespaces', root: '/api/v1' },
  pod: { short: 'po', plural: 'pods', root: '/api/v1' },
  replicaset: { short: 'rs', plural: 'replicasets', root: '/apis/apps/v1' },
  replicationcontroller: { short: 'rc', plural: 'replicationcontrollers', root: '/api/v1' },
  service: { short: 'svc', plural: 'services', root: '/api/v1' },
  statefulset: { short: 'sts', plural: 'statefulsets', root: '/apis/apps/v1' },
  trafficsplit: { short: 'ts', plural: 'trafficsplits', root: '/apis/split.smi-spec.io/v1alpha2' }
}

/** Types that the real command knows and the twin has no statistics for. */
const UNMODELLED: ReadonlySet<string> = new Set(
  (
    'au authority authorities srv server servers saz serverauthz srvauthz serverauthorization serverauthorizations ' +
    'ap authzpolicy authorizationpolicy authorizationpolicies httproute httproutes sp serviceprofile serviceprofiles'
  ).split(' ')
)

/** All types, in the order of their tables. */
export const TYPE_ORDER: readonly ResourceType[] = Object.keys(TYPES) as ResourceType[]

/** What `all` stands for. @see linkerd2 edge-26.8.3 pkg/k8s/k8s.go StatAllResourceTypes */
export const ALL_TYPES: readonly ResourceType[] = [
  'daemonset',
  'statefulset',
  'job',
  'deployment',
  'replicationcontroller',
  'pod',
  'service',
  'cronjob',
  'replicaset'
]

/** The type a word names: `deploy`, `deployment`, `deployments`. @throws LinkerdError for any other word */
export function canonicalType(word: string): ResourceType {
  const found = findType(word)
  if (found !== undefined) return found
  if (UNMODELLED.has(word)) throw new LinkerdError(`the twin keeps no statistics of ${word}`)
  throw new LinkerdError(`cannot find Kubernetes canonical name from friendly name [${word}]`)
}

/** `deploy` of `deployment`, as names are prefixed where a table holds several types. */
export function shortName(type: ResourceType): string {
  return TYPES[type].short
}

/** Path of a list of the Kubernetes API, or of one object of it. */
export function apiPath(type: ResourceType, namespace: string, name = ''): string {
  const { root = '', plural } = TYPES[type]
  const scope = type === 'namespace' || namespace === '' ? '' : `/namespaces/${encodeURIComponent(namespace)}`
  return `${root}${scope}/${plural}${name === '' ? '' : `/${encodeURIComponent(name)}`}`
}

/** The label in which the mesh's metrics name a resource of that type. @see linkerd2 pkg/k8s/k8s.go KindToL5DLabel */
export function metricLabel(type: ResourceType): string {
  return type === 'job' ? 'k8s_job' : type
}

/**
 * Reads `deploy`, `deploy/web`, `deploy web api`, `po/a deploy/b`.
 * @see linkerd2 edge-26.8.3 viz/pkg/util/util.go BuildResources
 * @throws LinkerdError
 */
export function parseResources(namespace: string, words: readonly string[]): readonly StatResource[] {
  const [first = '', ...names] = words
  const type = findType(first)
  const named = names.length > 0 && type !== undefined && type !== 'all' && !names.some((word) => word.includes('/'))
  const given = named ? names : words
  if (new Set(given).size < given.length) throw new LinkerdError('cannot supply duplicate resources')
  if (given.includes('all') && given.length > 1) {
    throw new LinkerdError("'all' can't be supplied alongside other resources")
  }
  if (named) return names.map((name) => resource(namespace, first, name))
  return words.map((word) => parseResource(namespace, word))
}

/** Reads `deploy` or `deploy/web`. @throws LinkerdError */
export function parseResource(namespace: string, word: string): StatResource {
  const [type = '', name = '', ...more] = word.split('/')
  if (more.length > 0) throw new LinkerdError(`Invalid resource string: ${word}`)
  return resource(namespace, type, name)
}

function resource(namespace: string, word: string, name: string): StatResource {
  const type = canonicalType(word)
  return { type, namespace: type === 'namespace' ? '' : namespace, name }
}

function findType(word: string): ResourceType | undefined {
  return TYPE_ORDER.find((type) => word === type || word === TYPES[type].short || word === TYPES[type].plural)
}
