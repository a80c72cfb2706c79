/** Key part of Flux's own labels and annotations; they are never copied to generated objects. */
const TOOLKIT_MARKER = 'toolkit.fluxcd.io'

type Metadata = Readonly<Record<string, string>>

/** Without Flux's own keys. */
export function withoutToolkitKeys(metadata: Metadata | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata ?? {}).filter(([key]) => !key.includes(TOOLKIT_MARKER)))
}

/** Only keys that begin with one of the prefixes (`*`: all), never Flux's own. */
export function includedByPrefix(metadata: Metadata | undefined, prefixes: readonly string[]): Record<string, string> {
  const kept = (key: string): boolean =>
    prefixes.some((prefix) => prefix === '*' || (prefix !== '' && key.startsWith(prefix)))
  return Object.fromEntries(Object.entries(withoutToolkitKeys(metadata)).filter(([key]) => kept(key)))
}

/** Labels of a primary: the source's, with the selector label set to the primary's value. */
export function primaryLabels(labels: Metadata | undefined, label: string, value: string): Record<string, string> {
  return { ...withoutToolkitKeys(labels), [label]: value }
}

/** Adds the annotations that keep Flux away from generated objects; changes and returns the map, as upstream. */
export function markUnmanagedByFlux(annotations: Record<string, string>): Record<string, string> {
  annotations['kustomize.toolkit.fluxcd.io/reconcile'] = 'disabled'
  annotations['helm.toolkit.fluxcd.io/driftDetection'] = 'disabled'
  return annotations
}
