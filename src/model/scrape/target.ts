import { formatDuration } from '../../lib/promql/index.ts'
import { Labels } from '../../lib/tsdb/index.ts'
import { type ScrapeConfig, SCRAPE_INTERVAL_MS } from './config.ts'
import { LabelRow, type NameList } from './label-row.ts'
import type { LabelRecord } from './relabel.ts'
import { PARAMETER, planRelabelling, type Relabelled, type RelabelPlan } from './relabel-plan.ts'

const ADDRESS = '__address__'

/** A target as configured and relabelled. */
export interface Target {
  /** Equal keys are one target: its final labels and its URL. */
  readonly key: string
  readonly jobName: string
  readonly config: ScrapeConfig
  /** Final labels, `job` and `instance` among them. */
  readonly labels: LabelRecord
  /** The same as a set. */
  readonly labelSet: Labels
  /** Labels before relabelling, for the targets API. */
  readonly discoveredLabels: LabelRecord
  readonly scheme: string
  /** `host:port`. */
  readonly address: string
  /** Path with query. */
  readonly path: string
  readonly url: string
  readonly intervalMs: number
  readonly timeoutMs: number
}

/** A discovered label set that relabelling dropped. */
export interface DroppedTarget {
  readonly discoveredLabels: LabelRecord
}

/**
 * Makes a target from a discovered label set.
 * @returns the target, or its discovered labels alone when it is dropped
 * @see Prometheus scrape/target.go PopulateLabels, v2.55.1
 */
export function makeTarget(config: ScrapeConfig, discovered: LabelRecord): Target | DroppedTarget {
  return targetOf(config, LabelRow.of(discovered))
}

/** What was made of labels that were discovered before. */
export interface MadeBefore {
  readonly row: LabelRow
  readonly made: Target | DroppedTarget
}

/**
 * {@link makeTarget} of labels as discovery has them.
 * @param before - what was made of such labels that mostly were the same; the target it gave where it would be the same again
 */
export function targetOf(config: ScrapeConfig, row: LabelRow, before?: MadeBefore): Target | DroppedTarget {
  const plan = planFor(config, row)
  if (before !== undefined && planFor(config, before.row) === plan && isSameTo(plan, row, before.row))
    return isTarget(before.made) ? before.made : new Discovered(config, row)
  const labelled = plan.drops(row) ? undefined : plan.apply(row)
  const address = labelled?.get(ADDRESS) ?? ''
  if (labelled === undefined || address === '') return new Discovered(config, row)
  return new RelabelledTarget(config, row, labelled)
}

/** Whether a plan finds no difference between two rows. */
function isSameTo(plan: RelabelPlan, row: LabelRow, before: LabelRow): boolean {
  for (let place = 0; place < row.values.length; place++)
    if (row.values[place] !== before.values[place] && !plan.ignores(place)) return false
  return true
}

/** What was discovered, put together only when somebody looks. */
class Discovered implements DroppedTarget {
  readonly config: ScrapeConfig
  readonly #row: LabelRow

  constructor(config: ScrapeConfig, row: LabelRow) {
    this.config = config
    this.#row = row
  }

  get discoveredLabels(): LabelRecord {
    return { ...jobLabels(this.config), ...this.#row.toRecord() }
  }
}

class RelabelledTarget extends Discovered implements Target {
  readonly key: string
  readonly jobName: string
  readonly labelSet: Labels
  readonly scheme: string
  readonly address: string
  readonly path: string
  readonly url: string
  readonly intervalMs: number
  readonly timeoutMs: number

  constructor(config: ScrapeConfig, row: LabelRow, labelled: Relabelled) {
    super(config, row)
    const { intervalMs, timeoutMs } = timesOf(config)
    this.jobName = config.jobName
    this.scheme = labelled.get('__scheme__') ?? 'http'
    this.address = withPort(labelled.get(ADDRESS) ?? '', this.scheme)
    this.labelSet = finalLabels(labelled, this.address)
    this.path = (labelled.get('__metrics_path__') ?? '/metrics') + queryOf(labelled, config)
    this.url = `${this.scheme}://${this.address}${this.path.startsWith('/') ? '' : '/'}${this.path}`
    this.key = `${pairsJson(this.labelSet)} ${this.url}`
    this.intervalMs = intervalMs
    this.timeoutMs = timeoutMs
  }

  get labels(): LabelRecord {
    return this.labelSet.toRecord()
  }
}

/** The labels that stay, `instance` among them. */
function finalLabels({ names, values }: Relabelled, address: string): Labels {
  const labels = Labels.fromSorted(names, values)
  return names.includes('instance') ? labels : (labels.joined(Labels.single('instance', address)) ?? labels)
}

/** A list of pairs as JSON: `[["a","1"],["b","2"]]`. */
function pairsJson({ names, values }: Labels): string {
  let text = ''
  for (let index = 0; index < names.length; index++) {
    text += `${index === 0 ? '' : ','}[${quoted(names[index] ?? '')},${quoted(values[index] ?? '')}]`
  }
  return `[${text}]`
}

/** A text as JSON. */
function quoted(text: string): string {
  return /^[\w.:/-]*$/.test(text) ? `"${text}"` : JSON.stringify(text)
}

/** Jobs do not change: what their rules make of label sets is looked at once for all sets alike. */
const plans = new WeakMap<ScrapeConfig, WeakMap<NameList, Map<string, RelabelPlan>>>()

/** Most ways in which values of one list of names are empty that are kept. */
const PLANS_MAX = 100

function planFor(config: ScrapeConfig, row: LabelRow): RelabelPlan {
  let byList = plans.get(config)
  if (byList === undefined) plans.set(config, (byList = new WeakMap<NameList, Map<string, RelabelPlan>>()))
  let byGaps = byList.get(row.list)
  if (byGaps === undefined) byList.set(row.list, (byGaps = new Map<string, RelabelPlan>()))
  let plan = byGaps.get(row.gaps)
  if (plan === undefined) {
    if (byGaps.size >= PLANS_MAX) byGaps.clear()
    byGaps.set(row.gaps, (plan = planRelabelling(config.relabelRules ?? [], jobLabels(config), row)))
  }
  return plan
}

function timesOf(config: ScrapeConfig): { readonly intervalMs: number; readonly timeoutMs: number } {
  const intervalMs = config.scrapeIntervalMs ?? SCRAPE_INTERVAL_MS
  return { intervalMs, timeoutMs: config.scrapeTimeoutMs ?? intervalMs }
}

/** Jobs do not change: their labels are made once. */
const labelsOfJobs = new WeakMap<ScrapeConfig, LabelRecord>()

/** The labels that a job gives each of its targets before relabelling. */
function jobLabels(config: ScrapeConfig): LabelRecord {
  const known = labelsOfJobs.get(config)
  if (known !== undefined) return known
  const { intervalMs, timeoutMs } = timesOf(config)
  const params = Object.entries(config.params ?? {}).map(([name, values]) => [PARAMETER + name, values[0] ?? ''])
  const labels: LabelRecord = {
    job: config.jobName,
    __scrape_interval__: formatDuration(intervalMs),
    __scrape_timeout__: formatDuration(timeoutMs),
    __metrics_path__: config.metricsPath ?? '/metrics',
    __scheme__: config.scheme ?? 'http',
    ...Object.fromEntries(params)
  }
  labelsOfJobs.set(config, labels)
  return labels
}

/** Whether relabelling kept it. */
export function isTarget(made: Target | DroppedTarget): made is Target {
  return 'key' in made
}

/** 2.x adds the scheme's port to an address without one. */
function withPort(address: string, scheme: string): string {
  if (/:\d+$/.test(address)) return address
  return `${address}:${scheme === 'https' ? 443 : 80}`
}

const NO_PARAMETERS: Readonly<Record<string, readonly string[]>> = {}

function queryOf(labels: Relabelled, config: ScrapeConfig): string {
  const { params = NO_PARAMETERS } = config
  const { parameters: stated } = labels
  if (params === NO_PARAMETERS && stated.length === 0) return ''
  const pairs: string[] = []
  for (const name of [...new Set([...Object.keys(params), ...stated])].sort()) {
    const first = labels.get(PARAMETER + name)
    const values = [...(first === undefined ? [] : [first]), ...(params[name] ?? []).slice(1)]
    for (const value of values) pairs.push(`${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
  }
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}
