import type { Canary, KubeObject } from '../../../kinds/index.ts'
import { log, type Plan } from '../effects.ts'
import { StepFailed, wrapped } from '../failure.ts'
import { markUnmanagedByFlux } from '../metadata.ts'
import {
  controllerReference,
  createObject,
  draftOf,
  findObject,
  getObject,
  RESOURCES,
  updateObject
} from '../objects.ts'
import { sameButEmpty } from '../same.ts'
import { fullName, namespaceOf, serviceNames } from '../spec.ts'
import { nothingToFinalise, TO_CANARY, type Router, type RouterContext, type Routes } from './router.ts'

const INGRESSES = RESOURCES.ingresses
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

interface IngressSpec {
  rules?: { http?: { paths?: { backend: { service?: { name: string } } }[] } }[]
}

/**
 * NGINX: a second Ingress for the canary, whose annotations hold the weight or the header of an A/B test.
 * @see fluxcd/flagger pkg/router/ingress.go 1.44.0
 */
export function nginxRouter({ settings }: RouterContext): Router {
  const prefix = settings.ingressAnnotationsPrefix
  return {
    reportsMirroring: false,
    reconcile: (canary) => reconcile(prefix, canary),
    getRoutes: (canary) => getRoutes(prefix, canary),
    setRoutes: (canary, routes) => setRoutes(prefix, canary, routes),
    finalise: nothingToFinalise
  }
}

function* reconcile(prefix: string, canary: Canary): Plan<void> {
  const source = canary.spec.ingressRef?.name ?? ''
  if (source === '') throw new StepFailed('ingress selector is empty')
  const namespace = namespaceOf(canary)
  const name = `${source}-canary`
  const ingress = yield* getObject(INGRESSES, namespace, source, `ingress ${source}.${namespace} get query error: `)
  const spec = canarySpec(canary, ingress)
  const existing = yield* findObject(INGRESSES, namespace, name, `ingress ${name}.${namespace} query error: `)
  if (existing === undefined) {
    const { labels } = ingress.metadata
    const metadata = {
      name,
      namespace,
      annotations: initialAnnotations(prefix, ingress.metadata.annotations),
      ...(labels === undefined ? {} : { labels }),
      ownerReferences: [controllerReference(canary)]
    }
    yield* wrapped(
      `ingress ${name}.${namespace} create error: `,
      createObject(INGRESSES, namespace, { metadata, spec })
    )
    return yield* log('info', `Ingress ${name}.${namespace} created`, fullName(canary))
  }
  if (sameButEmpty(spec, existing.spec)) return
  const updating = updateObject(INGRESSES, namespace, { ...existing, spec })
  yield* wrapped(`ingress ${name}.${namespace} update error: `, updating)
  yield* log('info', `Ingress ${name} updated`, fullName(canary))
}

/** The source's spec with backends named like the apex Service renamed. */
function canarySpec(canary: Canary, ingress: KubeObject): IngressSpec {
  const names = serviceNames(canary)
  const spec = draftOf(ingress.spec as IngressSpec)
  let renamed = false
  for (const rule of spec.rules ?? []) {
    for (const { backend } of rule.http?.paths ?? []) {
      if (backend.service?.name !== names.apex) continue
      backend.service.name = names.canary
      renamed = true
    }
  }
  if (!renamed) throw new StepFailed(`backend ${names.apex} not found in ingress ${ingress.metadata.name}`)
  return spec
}

function* read(canary: Canary): Plan<KubeObject> {
  const name = `${canary.spec.ingressRef?.name ?? ''}-canary`
  const namespace = namespaceOf(canary)
  return yield* getObject(INGRESSES, namespace, name, `ingress ${name}.${namespace} get query error: `)
}

function* getRoutes(prefix: string, canary: Canary): Plan<Routes> {
  const annotations = (yield* read(canary)).metadata.annotations ?? {}
  const byMatch = ['canary-by-cookie', 'canary-by-header'].some((key) => annotations[`${prefix}/${key}`] !== undefined)
  if ((canary.spec.analysis.match ?? []).length > 0 && byMatch) return TO_CANARY
  const text = annotations[`${prefix}/canary-weight`] ?? '0'
  if (!/^[+-]?\d+$/.test(text)) {
    throw new StepFailed(
      `failed to convert ${text} to int: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`
    )
  }
  return { primaryWeight: 100 - Number(text), canaryWeight: Number(text), mirrored: false }
}

function* setRoutes(prefix: string, canary: Canary, { canaryWeight }: Routes): Plan<void> {
  const ingress = yield* read(canary)
  const present = { ...ingress.metadata.annotations }
  const chosen =
    (canary.spec.analysis.match ?? []).length > 0
      ? matchAnnotations(prefix, canary, present)
      : { ...present, [`${prefix}/canary-weight`]: String(canaryWeight) }
  const annotations =
    canaryWeight > 0 ? { ...chosen, [`${prefix}/canary`]: 'true' } : initialAnnotations(prefix, chosen)
  const { name } = ingress.metadata
  const namespace = namespaceOf(canary)
  const draft = { ...ingress, metadata: { ...ingress.metadata, annotations } }
  yield* wrapped(`ingress ${name}.${namespace} update error `, updateObject(INGRESSES, namespace, draft))
}

/** The source's annotations without those of a canary, and weight 0. */
function initialAnnotations(
  prefix: string,
  source: Readonly<Record<string, string>> | undefined
): Record<string, string> {
  const kept = Object.entries(markUnmanagedByFlux({ ...source })).filter(
    ([key]) => !key.includes(`${prefix}/canary`) && !key.includes(LAST_APPLIED)
  )
  return { ...Object.fromEntries(kept), [`${prefix}/canary`]: 'true', [`${prefix}/canary-weight`]: '0' }
}

/** A/B testing: the cookie, and the last header of all matches. */
function matchAnnotations(
  prefix: string,
  canary: Canary,
  source: Readonly<Record<string, string>>
): Record<string, string> {
  let [cookie, header, value, pattern] = ['', '', '', '']
  for (const { headers = {} } of canary.spec.analysis.match ?? []) {
    for (const [name, { exact = '', regex = '' }] of Object.entries(headers)) {
      if (name === 'cookie') cookie = exact
      else [header, value, pattern] = [name, exact, regex]
    }
  }
  // Upstream filters by the annotations' values here, not by their keys.
  const kept = Object.entries(markUnmanagedByFlux({ ...source })).filter(
    ([, text]) => !text.includes(`${prefix}/canary`)
  )
  return {
    ...Object.fromEntries(kept),
    [`${prefix}/canary`]: 'true',
    ...(cookie === '' ? {} : { [`${prefix}/canary-by-cookie`]: cookie }),
    ...(header === '' ? {} : { [`${prefix}/canary-by-header`]: header }),
    ...(value === '' ? {} : { [`${prefix}/canary-by-header-value`]: value }),
    ...(pattern === '' ? {} : { [`${prefix}/canary-by-header-pattern`]: pattern })
  }
}
