import type { TraceEvent } from './events.ts'

/** A moment of a rollout that scenarios name: derived from the controller's event texts. */
export interface Milestone {
  /** `name.namespace`. */
  readonly canary: string
  readonly tick: number
  readonly atMs: number
  readonly seq: number
  /** Words scenarios use, e.g. `weight 10`, `halt success-rate`, `gate closed approve`. */
  readonly label: string
  /**
   * The kind of the milestone, e.g. `weight`. Minor kinds (hook answers, waiting for pods) count in a sequence only when
   * the sequence names that kind, because how often they come depends on pod timing.
   */
  readonly kind: MilestoneKind
  /** The event's own text. */
  readonly text: string
}

/** Kinds of milestones; those of {@link MINOR_KINDS} are optional in a sequence. */
export type MilestoneKind =
  | 'Initialized'
  | 'New revision'
  | 'restart'
  | 'start'
  | 'weight'
  | 'primary weight'
  | 'iteration'
  | 'halt'
  | 'gate closed'
  | 'gate open'
  | 'hook passed'
  | 'hook failed'
  | 'rollback'
  | 'rollback hook silent'
  | 'promotion'
  | 'promotion failed'
  | 'canary traffic'
  | 'primary traffic'
  | 'canary not ready'
  | 'primary not ready'
  | 'providers available'
  | 'suspended'
  | 'Succeeded'
  | 'Failed'
  | 'Terminating'
  | 'Terminated'
  | 'warning'

/** Kinds that a sequence may leave out altogether. */
export const MINOR_KINDS: ReadonlySet<MilestoneKind> = new Set<MilestoneKind>([
  'start',
  'gate open',
  'hook passed',
  'hook failed',
  'rollback hook silent',
  'canary traffic',
  'primary traffic',
  'canary not ready',
  'primary not ready',
  'providers available',
  'suspended',
  'Terminating',
  'Terminated'
])

interface Rule {
  readonly pattern: RegExp
  readonly kind: MilestoneKind
  /** Words behind the kind; `$1` is the first group. */
  readonly rest?: string
}

/**
 * Flagger's event texts and what they mean, first match wins.
 * @see flagger 1.44.0 pkg/controller/scheduler.go, scheduler_metrics.go, scheduler_hooks.go
 */
const RULES: readonly Rule[] = [
  { pattern: /^Initialization done! /, kind: 'Initialized' },
  { pattern: /^all the metrics providers are available!/, kind: 'providers available' },
  { pattern: /^New revision detected! Scaling up /, kind: 'New revision' },
  { pattern: /^New revision detected! Restarting analysis /, kind: 'restart' },
  { pattern: /^Starting canary analysis /, kind: 'start' },
  { pattern: /^Advance \S+ canary weight (\d+)$/, kind: 'weight', rest: '$1' },
  { pattern: /^Advance \S+ primary weight (\d+)$/, kind: 'primary weight', rest: '$1' },
  { pattern: /^Advance \S+ canary iteration (\d+\/\d+)$/, kind: 'iteration', rest: '$1' },
  { pattern: /^Halt \S+ advancement waiting for promotion approval (.+)$/, kind: 'gate closed', rest: '$1' },
  { pattern: /^Halt \S+ advancement waiting for traffic increase approval (.+)$/, kind: 'gate closed', rest: '$1' },
  { pattern: /^Halt \S+ advancement waiting for approval (.+)$/, kind: 'gate closed', rest: '$1' },
  { pattern: /^Confirm-[a-z-]+ check (.+) passed$/, kind: 'gate open', rest: '$1' },
  { pattern: /^Halt \S+ advancement (?:pre-rollout|external) check (\S+) failed/, kind: 'halt', rest: 'hook $1' },
  { pattern: /^Halt \S+ advancement success rate /, kind: 'halt', rest: 'success-rate' },
  { pattern: /^Halt \S+ advancement request duration /, kind: 'halt', rest: 'request-duration' },
  { pattern: /^Halt \S+ advancement (.+) \S+ [<>] \S+$/, kind: 'halt', rest: '$1' },
  { pattern: /^Halt advancement no values found for custom metric: (.+?): /, kind: 'halt', rest: 'no-values $1' },
  { pattern: /^Halt advancement no values found for metric: (.+)$/, kind: 'halt', rest: 'no-values $1' },
  { pattern: /^Halt advancement no values found for \S+ metric (\S+) probably/, kind: 'halt', rest: 'no-values $1' },
  { pattern: /^Prometheus query failed for ([^:]+): /, kind: 'halt', rest: 'query-failed $1' },
  { pattern: /^Prometheus query failed/, kind: 'halt', rest: 'query-failed' },
  { pattern: /^Metric query failed for ([^:]+): /, kind: 'halt', rest: 'query-failed $1' },
  { pattern: /^Metric template (\S+) error: /, kind: 'halt', rest: 'template $1' },
  { pattern: /^Rollback hook (.+) not signaling a rollback$/, kind: 'rollback hook silent', rest: '$1' },
  { pattern: /^Rollback check (.+) passed$/, kind: 'hook passed', rest: '$1' },
  { pattern: /^Pre-rollout check (.+) passed$/, kind: 'hook passed', rest: '$1' },
  { pattern: /^Post-rollout check (.+) passed$/, kind: 'hook passed', rest: '$1' },
  { pattern: /^Post-rollout hook (\S+) failed/, kind: 'hook failed', rest: '$1' },
  { pattern: /^Rolling back /, kind: 'rollback' },
  { pattern: /^Canary failed! Scaling down /, kind: 'Failed' },
  { pattern: /^Promotion of \S+ failed, /, kind: 'promotion failed' },
  { pattern: /^Copying \S+ template spec to /, kind: 'promotion' },
  {
    pattern: /^(?:Routing all traffic to|Stop traffic mirroring and route all traffic to) canary/,
    kind: 'canary traffic'
  },
  { pattern: /^Routing all traffic to primary/, kind: 'primary traffic' },
  { pattern: /^Promotion completed! /, kind: 'Succeeded' },
  { pattern: /^canary (?:deployment|damonset) \S+ not ready/, kind: 'canary not ready' },
  { pattern: /^(?:primary daemonset )?\S+ not ready: /, kind: 'primary not ready' },
  { pattern: /^skipping canary run as object is suspended/, kind: 'suspended' },
  { pattern: /^Terminating canary /, kind: 'Terminating' },
  { pattern: /^Terminated canary /, kind: 'Terminated' }
]

/**
 * The milestone an event is, or undefined.
 * A warning whose text no rule knows is a milestone of its own (`warning <text>`): a sequence must not pass over it.
 */
export function milestoneOf(event: TraceEvent): Milestone | undefined {
  if (event.kind !== 'event') return undefined
  const base = { canary: event.canary, tick: event.tick, atMs: event.atMs, seq: event.seq, text: event.message }
  for (const rule of RULES) {
    const match = rule.pattern.exec(event.message)
    if (match === null) continue
    const rest = rule.rest?.replace('$1', match[1] ?? '')
    return { ...base, kind: rule.kind, label: rest === undefined ? rule.kind : `${rule.kind} ${rest}` }
  }
  if (event.type === 'Normal') return undefined
  return { ...base, kind: 'warning', label: `warning ${event.message.replaceAll(/\s*\n\s*/g, ' ').trim()}` }
}

/** Whether a milestone is the one some words name: its label begins with the same words (case does not matter). */
export function isMilestone(milestone: Milestone, words: string): boolean {
  const wanted = splitWords(words)
  const actual = splitWords(milestone.label)
  return wanted.length <= actual.length && wanted.every((word, index) => word === actual[index])
}

/** The kind that some words of a sequence name; undefined when they name none. */
export function kindNamed(words: string): MilestoneKind | undefined {
  const text = splitWords(words).join(' ')
  return ALL_KINDS.find((kind) => text === kind.toLowerCase() || text.startsWith(`${kind.toLowerCase()} `))
}

/** Every kind, longest first, so that `promotion failed` is not taken for `promotion`. */
export const ALL_KINDS: readonly MilestoneKind[] = [
  ...new Set(RULES.map((rule) => rule.kind)),
  'warning' as const
].toSorted((left, right) => right.length - left.length)

/** Whether a text fits a pattern in which `*` stands for any text. */
export function matchesGlob(text: string, pattern: string): boolean {
  const parts = pattern.split('*')
  const first = parts[0] ?? ''
  const last = parts.at(-1) ?? ''
  if (parts.length === 1) return text === pattern
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false
  let from = first.length
  for (const part of parts.slice(1, -1)) {
    const at = text.indexOf(part, from)
    if (at < 0 || at + part.length > text.length - last.length) return false
    from = at + part.length
  }
  return true
}

function splitWords(text: string): string[] {
  return text.trim().toLowerCase().split(/\s+/)
}
