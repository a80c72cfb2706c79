import type { Expectation, ExpectationBody, KubeObject } from '../kinds/index.ts'
import { boundText, within } from './bound.ts'
import { partialDifference } from './partial.ts'
import { TraceState } from './state.ts'
import type { LoadCounts, RunRecord, Verdict } from './verdict.ts'

type Of<K extends ExpectationBody['kind']> = Extract<Expectation, { kind: K }>

/** Judges `users`, `final` and `query`, which look at the end of the run. */
export function judgeEnd(expectation: Of<'users' | 'final' | 'query'>, record: RunRecord): Verdict {
  const complaints =
    expectation.kind === 'users'
      ? userComplaints(expectation, record.loads)
      : expectation.kind === 'final'
        ? finalComplaints(expectation, record)
        : queryComplaints(expectation, record)
  return { expectation, met: complaints.length === 0, reason: complaints.join('; ') || 'as expected' }
}

function userComplaints(expectation: Of<'users'>, loads: readonly LoadCounts[]): string[] {
  const chosen = loads.filter((load) => expectation.load === undefined || load.load === expectation.load)
  if (chosen.length === 0) return ['the scenario has no load']
  const sum = (read: (load: LoadCounts) => number): number => chosen.reduce((total, load) => total + read(load), 0)
  const delivered = sum((load) => load.delivered)
  const failed = sum((load) => load.failed)
  const complaints: string[] = []
  if (expectation.requests !== undefined && !within(expectation.requests, delivered)) {
    complaints.push(`${delivered} requests, expected ${boundText(expectation.requests)}`)
  }
  if (expectation.failedRequests !== undefined && !within(expectation.failedRequests, failed, delivered)) {
    complaints.push(`${failed} of ${delivered} requests failed, expected ${boundText(expectation.failedRequests)}`)
  }
  for (const [version, bound] of Object.entries(expectation.versions)) {
    const count = sum((load) => load.byVersion[version] ?? 0)
    if (!within(bound, count, delivered)) {
      complaints.push(`${count} of ${delivered} answers came from ${version}, expected ${boundText(bound)}`)
    }
  }
  return complaints
}

function finalComplaints(expectation: Of<'final'>, record: RunRecord): string[] {
  const { image, replicas, object } = expectation
  const complaints = stateComplaints(expectation, record)
  if (image !== undefined) {
    const images = imagesOf(record.object(image.kind, image.name), image.container)
    if (!images.includes(image.is)) {
      complaints.push(
        `${image.kind} ${image.name} runs ${images.join(', ') || 'nothing (it does not exist)'}, expected ${image.is}`
      )
    }
  }
  if (replicas !== undefined) {
    const spec = record.object(replicas.kind, replicas.name)?.spec
    const count = partOf(spec, 'replicas')
    if (typeof count !== 'number' || !within(replicas.bound, count)) {
      complaints.push(
        `${replicas.kind} ${replicas.name} has ${String(count)} replicas, expected ${boundText(replicas.bound)}`
      )
    }
  }
  if (object !== undefined) {
    const complaint = objectComplaint(record.object(object.kind, object.name), object.like)
    if (complaint !== undefined) complaints.push(`${object.kind} ${object.name}: ${complaint}`)
  }
  return complaints
}

/** What is wrong with an object that should have some fields, or be absent. */
export function objectComplaint(found: KubeObject | undefined, like: unknown): string | undefined {
  if (like === 'absent') return found === undefined ? undefined : 'exists'
  return found === undefined ? 'does not exist' : partialDifference(found, like)
}

function stateComplaints(expectation: Of<'final'>, record: RunRecord): string[] {
  if (expectation.phase === undefined && expectation.weight === undefined) return []
  const state = new TraceState()
  for (const event of record.events) state.add(event)
  const { canary, phase, weight } = expectation
  const condition = {
    ...(canary === undefined ? {} : { canary }),
    ...(phase === undefined ? {} : { phase }),
    ...(weight === undefined ? {} : { weight })
  }
  if (state.holds(condition)) return []
  const seen = [...state.canaries].map(
    ([name, it]) => `${name} is ${it.phase ?? '(none)'} at weight ${it.weight ?? '(none)'}`
  )
  return [seen.join(', ') || 'no canary was seen']
}

function queryComplaints(expectation: Of<'query'>, record: RunRecord): string[] {
  const series = record.query(expectation.expression)
  if (expectation.absent) return series.length === 0 ? [] : [`${series.length} series, expected none`]
  if (series.length === 0) return ['no values found']
  return series
    .filter((item) => !within(expectation.bound, item.value))
    .map((item) => `${JSON.stringify(item.labels)} is ${item.value}, expected ${boundText(expectation.bound)}`)
}

function imagesOf(object: KubeObject | undefined, container: string | undefined): string[] {
  const podSpec = object?.kind === 'Pod' ? object.spec : partOf(partOf(object?.spec, 'template'), 'spec')
  const containers = partOf(podSpec, 'containers')
  if (!Array.isArray(containers)) return []
  return containers.flatMap((item: unknown) => {
    const image = partOf(item, 'image')
    const wanted = container === undefined || partOf(item, 'name') === container
    return wanted && typeof image === 'string' ? [image] : []
  })
}

function partOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined
}
