import type { AppSpec, KubeObject } from '../../kinds/index.ts'
import { TwinError } from '../../lib/errors/index.ts'
import { keptByText } from '../../lib/memory/index.ts'

/** What stands for an image. */
export type ImageRole =
  /** An app model of the scenario. */
  | { readonly role: 'app'; readonly spec: AppSpec }
  /** A part that the twin is itself: its pod is Running and does nothing. */
  | { readonly role: 'stand-in'; readonly part: 'controller' | 'prometheus' }
  | { readonly role: 'unknown' }

const STAND_INS: readonly (readonly [RegExp, 'controller' | 'prometheus'])[] = [
  [/(?:^|\/)flagger(?::|@|$)/, 'controller'],
  [/(?:^|\/)prometheus(?::|@|$)/, 'prometheus']
]

/** Most images that are looked at once. */
const IMAGES_MAX = 500

const partOf = keptByText(IMAGES_MAX, (image) => STAND_INS.find(([pattern]) => pattern.test(image))?.[1])

/**
 * What an image of a manifest is, by the scenario's entries first. An entry ending in `:*` stands for every tag. A part
 * of the twin stays a stand-in where an entry only says that it pauses.
 */
export function roleOfImage(image: string, images: Readonly<Record<string, AppSpec>>): ImageRole {
  const spec = images[image] ?? images[`${image.replace(/(?::[^:/]*)?(?:@.*)?$/, '')}:*`]
  const part = partOf(image)
  if (part !== undefined && (spec === undefined || spec.app === 'pause')) return { role: 'stand-in', part }
  return spec === undefined ? { role: 'unknown' } : { role: 'app', spec }
}

interface PodSpecLike {
  readonly containers?: readonly { readonly image?: unknown }[]
  readonly initContainers?: readonly { readonly image?: unknown }[]
}

interface WithTemplate {
  readonly template?: { readonly spec?: PodSpecLike }
  readonly jobTemplate?: { readonly spec?: { readonly template?: { readonly spec?: PodSpecLike } } }
}

const TEMPLATE_KINDS: ReadonlySet<string> = new Set([
  'Deployment',
  'ReplicaSet',
  'DaemonSet',
  'StatefulSet',
  'Job',
  'CronJob'
])

/** Images that an object's pods run. */
export function imagesOf(object: KubeObject): readonly string[] {
  const spec = object.spec as (PodSpecLike & WithTemplate) | undefined
  if (object.kind === 'Pod') return podImages(spec)
  if (!TEMPLATE_KINDS.has(object.kind)) return []
  return podImages(spec?.template?.spec ?? spec?.jobTemplate?.spec?.template?.spec)
}

function podImages(spec: PodSpecLike | undefined): readonly string[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].flatMap(({ image }) =>
    typeof image === 'string' ? [image] : []
  )
}

/**
 * Checks that the behaviour of every image is known.
 * @throws TwinError TWIN_IMAGE_UNKNOWN naming the object and the image
 */
export function requireKnownImages(objects: readonly KubeObject[], images: Readonly<Record<string, AppSpec>>): void {
  for (const object of objects) {
    const unknown = imagesOf(object).find((image) => roleOfImage(image, images).role === 'unknown')
    if (unknown !== undefined) throw unknownImage(unknown, objectName(object), images)
  }
}

/** The error for an image nobody has described. */
export function unknownImage(image: string, object: string, images: Readonly<Record<string, AppSpec>>): TwinError {
  const known = Object.keys(images)
  const list = known.length === 0 ? 'none' : known.join(', ')
  return new TwinError(
    'TWIN_IMAGE_UNKNOWN',
    `${object} runs the image ${image}, which spec.images does not describe (described: ${list}). Add it there.`,
    { details: { object, image } }
  )
}

/** `Deployment test/podinfo`. */
export function objectName(object: KubeObject): string {
  const { namespace, name } = object.metadata
  return `${object.kind} ${namespace === undefined ? name : `${namespace}/${name}`}`
}
