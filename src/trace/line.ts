import { alertText } from './alert-text.ts'
import type { MetricEvidence, TraceEvent } from './events.ts'
import { type Milestone, milestoneOf } from './milestone.ts'

/** What the formatter knows beside the trace. */
export interface LineOptions {
  /** Failed checks each canary may have, by `name.namespace`; absent: shown without. */
  readonly thresholds?: Readonly<Record<string, number>>
  /** Also queries, writes, hooks, pods and logs. */
  readonly verbose?: boolean
}

interface CanaryState {
  state: string
  failedChecks: number
  evidence: readonly MetricEvidence[]
  evidenceTick: number
}

const WIDTH = { time: 8, tick: 4, canary: 14, state: 14, ok: 26, p99: 12, checks: 10 } as const

/**
 * Turns a trace into lines of fixed columns, one per event that a person wants to see:
 * time, tick, mark, canary, state, success rate of n user requests, p99, failed checks, text.
 */
export class LineFormatter {
  readonly #options: LineOptions
  readonly #canaries = new Map<string, CanaryState>()

  constructor(options: LineOptions = {}) {
    this.#options = options
  }

  /** The line of an event, without line feed; undefined for events that are not shown. */
  format(event: TraceEvent): string | undefined {
    if (event.kind === 'decision') {
      this.#remember(event)
      return undefined
    }
    if (event.kind === 'event') return this.#controllerLine(event)
    const text = plainText(event, this.#options.verbose ?? false)
    if (text === undefined) return undefined
    const blanks = columns([
      ['', WIDTH.state],
      ['', WIDTH.ok],
      ['', WIDTH.p99],
      ['', WIDTH.checks]
    ])
    const tick = 'tick' in event ? `#${event.tick}` : ''
    const canary = 'canary' in event ? event.canary : ''
    return `${columns([
      [clock(event.atMs), WIDTH.time],
      [tick, WIDTH.tick]
    ])}${text.mark} ${canary.padEnd(WIDTH.canary)} ${blanks}${text.text}`.trimEnd()
  }

  #remember(event: Extract<TraceEvent, { kind: 'decision' }>): void {
    const state = this.#state(event.canary)
    state.evidence = event.evidence
    state.evidenceTick = event.tick
  }

  #controllerLine(event: Extract<TraceEvent, { kind: 'event' }>): string {
    const state = this.#state(event.canary)
    const milestone = milestoneOf(event)
    if (milestone !== undefined) advance(state, milestone)
    const evidence = state.evidenceTick === event.tick ? state.evidence : []
    return `${columns([
      [clock(event.atMs), WIDTH.time],
      [`#${event.tick}`, WIDTH.tick]
    ])}${mark(milestone, event.type)} ${columns([
      [event.canary, WIDTH.canary],
      [state.state, WIDTH.state],
      [successText(evidence), WIDTH.ok],
      [durationText(evidence), WIDTH.p99],
      [checksText(state, this.#options.thresholds?.[event.canary]), WIDTH.checks]
    ])}${oneLine(event.message)}${absenceText(evidence)}`.trimEnd()
  }

  #state(canary: string): CanaryState {
    const known = this.#canaries.get(canary)
    if (known !== undefined) return known
    const fresh: CanaryState = { state: '', failedChecks: 0, evidence: [], evidenceTick: -1 }
    this.#canaries.set(canary, fresh)
    return fresh
  }
}

function advance(state: CanaryState, milestone: Milestone): void {
  if (milestone.kind === 'New revision' || milestone.kind === 'restart') state.failedChecks = 0
  if (milestone.kind === 'halt') state.failedChecks += 1
  const shown = STATES[milestone.kind]
  if (shown !== undefined) state.state = shown === '' ? milestone.label : shown
}

/** What the state column shows from a milestone on; empty: its label. */
const STATES: Readonly<Partial<Record<Milestone['kind'], string>>> = {
  Initialized: '',
  'New revision': 'new revision',
  restart: '',
  weight: '',
  'primary weight': '',
  iteration: '',
  'gate closed': 'gate closed',
  promotion: '',
  rollback: '',
  Succeeded: '',
  Failed: ''
}

const MARKS: Readonly<Partial<Record<Milestone['kind'], string>>> = {
  Initialized: '●',
  'New revision': '◆',
  restart: '↻',
  weight: '▲',
  'primary weight': '▲',
  iteration: '▲',
  halt: '‖',
  'gate closed': '‖',
  rollback: '▼',
  promotion: '△',
  'promotion failed': '✗',
  Succeeded: '✓',
  Failed: '✗'
}

function mark(milestone: Milestone | undefined, type: 'Normal' | 'Warning'): string {
  const known = milestone === undefined ? undefined : MARKS[milestone.kind]
  return known ?? (type === 'Warning' ? '!' : '·')
}

function plainText(event: TraceEvent, verbose: boolean): { mark: string; text: string } | undefined {
  switch (event.kind) {
    case 'run':
      return { mark: '»', text: `${event.scenario}  world ${event.world}  seed ${event.seed}  speed ${event.speed}` }
    case 'note':
      return { mark: '#', text: event.text }
    case 'command':
      return { mark: '$', text: `${oneLine(event.command)}${event.exitCode === 0 ? '' : `  → exit ${event.exitCode}`}` }
    case 'error':
      return { mark: '✗', text: `${event.code} ${oneLine(event.message)}` }
    case 'alert':
      return { mark: '@', text: `alert to ${event.url}: ${oneLine(alertText(event.payload))}` }
    case 'outbound':
      return { mark: '@', text: `${event.method} ${event.url}` }
    case 'end':
      return { mark: '«', text: `${event.outcome}  ${(event.simulatedMs / 1000).toFixed(1)} s simulated` }
    default:
      return verbose ? verboseText(event) : undefined
  }
}

function verboseText(event: TraceEvent): { mark: string; text: string } | undefined {
  switch (event.kind) {
    case 'phase':
      return { mark: ' ', text: `phase ${event.from || '(none)'} → ${event.to}` }
    case 'weight':
      return { mark: ' ', text: `routes primary ${event.primaryPercent} canary ${event.canaryPercent}` }
    case 'query':
      return { mark: '?', text: `${oneLine(event.query)} = ${event.result}` }
    case 'webhook':
      return { mark: '?', text: `${event.type} ${event.name} ${event.url} → ${oneLine(event.answer)}` }
    case 'write':
      return { mark: ' ', text: `${event.verb} ${event.object}` }
    case 'pod':
      return { mark: ' ', text: `pod ${event.namespace}/${event.pod} ${event.state} ${event.image}` }
    case 'load':
      return {
        mark: ' ',
        text: `load ${event.load} at ${event.weightPercent} %: ${event.delivered} of ${event.intended}, ${event.failed} failed`
      }
    case 'log':
      return { mark: ' ', text: `${event.source} ${event.level} ${oneLine(event.message)}` }
    default:
      return undefined
  }
}

/** The success rate with its n; without that built-in check, the first metric of the team's own. */
function successText(evidence: readonly MetricEvidence[]): string {
  const builtin = evidence.find((item) => item.metric === 'request-success-rate')
  const found = builtin ?? evidence.find((item) => item.metric !== 'request-duration')
  if (found === undefined) return ''
  const count = found.userRequests === undefined ? '' : ` of ${found.userRequests}`
  if (found.value === undefined) return `no values${count}`
  return builtin === undefined
    ? `${found.metric} ${found.value.toFixed(2)}${count}`
    : `ok ${found.value.toFixed(2)} %${count}`
}

/** Why a check found no values; behind the message, because it has no fixed width. */
function absenceText(evidence: readonly MetricEvidence[]): string {
  const causes = evidence.flatMap((item) => item.absentBecause ?? [])
  return causes.length === 0 ? '' : `  (no values: ${causes.map(oneLine).join('; ')})`
}

function durationText(evidence: readonly MetricEvidence[]): string {
  const found = evidence.find((item) => item.metric === 'request-duration')
  return found?.value === undefined ? '' : `p99 ${Math.trunc(found.value)} ms`
}

function checksText(state: CanaryState, threshold: number | undefined): string {
  if (state.state === '' || state.state === 'Initialized') return ''
  return `checks ${state.failedChecks}${threshold === undefined ? '' : `/${threshold}`}`
}

/** Simulated time as `t+075.0`. */
function clock(atMs: number): string {
  return `t+${(atMs / 1000).toFixed(1).padStart(5, '0')}`
}

function columns(parts: readonly (readonly [string, number])[]): string {
  return parts.map(([text, width]) => `${text.padEnd(width)} `).join('')
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ⏎ ').slice(0, 300)
}
