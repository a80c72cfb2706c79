import type { Canary } from '../../kinds/index.ts'
import { ControllerPanic } from './failure.ts'
import type { ControllerSettings } from './settings.ts'
import { isKnative, namespaceOf } from './spec.ts'

/**
 * What admission cannot check. A failure is a log line of the worker, never an event; the canary is not scheduled.
 * @returns the problem, or undefined
 * @throws ControllerPanic for a canary without spec, whose analysis is nil when its session affinity is looked at
 * @see fluxcd/flagger pkg/controller/controller.go verifyCanary 1.44.0
 */
export function invalidCanary(settings: ControllerSettings, canary: Canary): string | undefined {
  if (!('analysis' in canary.spec))
    throw new ControllerPanic('runtime error: invalid memory address or nil pointer dereference')
  return (
    (settings.noCrossNamespaceRefs ? crossNamespaceReference(canary) : undefined) ??
    knativeMismatch(canary) ??
    sameCookieNames(canary)
  )
}

function crossNamespaceReference(canary: Canary): string | undefined {
  const own = namespaceOf(canary)
  const { upstreamRef, analysis } = canary.spec
  const isForeign = (namespace: string | undefined): namespace is string =>
    namespace !== undefined && namespace !== '' && namespace !== own
  const blocked = (what: string, name: string, namespace: string): string =>
    `can't access ${what} ${name}.${namespace}, cross-namespace references are blocked`
  if (isForeign(upstreamRef?.namespace)) return blocked('gloo upstream', upstreamRef?.name ?? '', upstreamRef.namespace)
  for (const { templateRef } of analysis.metrics ?? []) {
    if (isForeign(templateRef?.namespace))
      return blocked('metric template', templateRef?.name ?? '', templateRef.namespace)
  }
  for (const { providerRef } of analysis.alerts ?? []) {
    if (isForeign(providerRef.namespace)) return blocked('alert provider', providerRef.name, providerRef.namespace)
  }
  return undefined
}

function knativeMismatch(canary: Canary): string | undefined {
  const { provider = '', autoscalerRef, targetRef } = canary.spec
  const knative = isKnative(canary)
  if (knative && provider !== 'knative') return `can't use ${provider} provider with Knative Service as target`
  if (!knative && provider === 'knative') {
    return `can't use ${targetRef.apiVersion ?? ''}/${targetRef.kind} as target if provider is set to knative`
  }
  return knative && autoscalerRef !== undefined ? "can't use autoscaler with Knative Service" : undefined
}

function sameCookieNames(canary: Canary): string | undefined {
  const affinity = canary.spec.analysis.sessionAffinity
  if (affinity === undefined || affinity.cookieName !== (affinity.primaryCookieName ?? '')) return undefined
  return "can't use the same cookie name for both primary and cookie name; please update them to be different"
}
