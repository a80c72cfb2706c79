import type { CaseResult } from '../run/index.ts'

/** What became of the rollout itself: its weights and how it ended. */
export function rolloutText(result: CaseResult): string {
  const weights = result.milestones
    .filter((milestone) => milestone.label.startsWith('weight '))
    .map((milestone) => Number(milestone.label.slice('weight '.length)))
  const [first] = weights
  const most = Math.max(...weights)
  const ends = result.milestones.filter((milestone) => ['Succeeded', 'Failed'].includes(milestone.label))
  const words = ends.map((end) => (end.label === 'Succeeded' ? 'promoted' : 'rolled back'))
  const span = first === undefined ? 'no weight' : first === most ? `weight ${first}` : `weights ${first}…${most}`
  return `${span}, ${words.length === 0 ? 'not ended' : words.join(', ')}`
}

/** The number of user requests behind the verdict: of the best check, and whether others saw none. */
export function userRequestText(result: CaseResult): string {
  const { userRequests, checks } = result
  if (userRequests === undefined) return 'n 0 user requests, nothing was judged'
  const blind = userRequests > 0 && checks !== undefined && checks.blind > 0
  return `n ${userRequests} user requests${blind ? `, none in ${checks.blind} of ${checks.judged} checks` : ''}`
}

/** How long it took: simulated, wall, and how much faster than life. */
export function speedText(result: CaseResult): string {
  const { simulatedMs, wallMs } = result.figures
  const factor = wallMs > 0 ? Math.round(simulatedMs / wallMs) : 0
  return `${(simulatedMs / 1000).toFixed(0)} s in ${(wallMs / 1000).toFixed(1)} s (${factor}×)`
}
