import type { LabelSelector } from './shapes.ts'

type Labels = Readonly<Record<string, string>> | undefined

/** Whether labels satisfy a LabelSelector; an empty selector matches everything. */
export function selectorMatches(selector: LabelSelector, labels: Labels): boolean {
  const { matchLabels, matchExpressions } = selector
  if (matchLabels !== undefined && !labelsInclude(labels, matchLabels)) return false
  return (
    matchExpressions === undefined ||
    matchExpressions.every((requirement) => requirementMatches(requirement, labels?.[requirement.key]))
  )
}

/** Whether labels contain every pair of a map selector (a Service's). */
export function labelsInclude(labels: Labels, wanted: Readonly<Record<string, string>>): boolean {
  for (const key in wanted) if (labels?.[key] !== wanted[key]) return false
  return true
}

/** Whether a selector selects everything, which workloads refuse to act on. */
export function selectorIsEmpty(selector: LabelSelector): boolean {
  for (const _key in selector.matchLabels) return false
  return (selector.matchExpressions ?? []).length === 0
}

/** Evaluates one `In` / `NotIn` / `Exists` / `DoesNotExist` / `Gt` / `Lt` requirement on a value. */
export function requirementMatches(
  requirement: { readonly operator: string; readonly values?: readonly string[] },
  value: string | undefined
): boolean {
  const values = requirement.values ?? []
  switch (requirement.operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0])
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0])
    default:
      return false
  }
}
