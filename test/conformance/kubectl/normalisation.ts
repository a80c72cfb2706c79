import type { Transcript } from './transcript.ts'

/** What normalisation knows of a run. */
export interface NormalContext {
  readonly folder: string
  readonly serverUrl: string
  readonly nodes: readonly string[]
  /** Text of the transcript itself: values in it are never replaced by the starred rules. */
  readonly ownText: string
  readonly captured: ReadonlyMap<string, string>
}

/** How one output is normalised. */
export interface OutputFormat {
  readonly format?: 'text' | 'table' | 'describe'
  readonly order?: 'any'
  readonly lines?: 'last'
}

/** The transcript's own text: files, command lines, request lines, bodies, namespace. */
export function ownText(transcript: Transcript): string {
  const parts: string[] = [transcript.namespace ?? '', ...Object.values(transcript.files ?? {})]
  for (const step of transcript.steps) {
    for (const key of ['run', 'until', 'capture', 'start', 'http', 'body', 'stored'] as const)
      parts.push(step[key] ?? '')
  }
  return parts.join('\n')
}

function unlessOwn(context: NormalContext, text: string, pattern: RegExp, replacement: string): string {
  return text.replaceAll(pattern, (found: string) => (context.ownText.includes(found) ? found : replacement))
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
}

function names(context: NormalContext, input: string): string {
  let text = input.replaceAll(`${context.folder}/`, '').replaceAll(context.folder, '.')
  const captured = [...context.captured]
    .filter(([, value]) => value !== '')
    .sort(([, left], [, right]) => right.length - left.length)
  for (const [name, value] of captured) text = text.replaceAll(capturedPattern(value), `<${name}>`)
  const host = context.serverUrl.replace('https://', '')
  return text.replaceAll(context.serverUrl, '<server>').replaceAll(host, '<server>')
}

/** Numbers are only recognised as whole words, so that a version is not found inside a time. */
function capturedPattern(value: string): RegExp {
  return /^\d+$/.test(value) ? new RegExp(`(?<![\\w.:-])${value}(?![\\w.:-])`, 'g') : new RegExp(escape(value), 'g')
}

const RFC3339 = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})/g

function secrets(input: string): string {
  return input
    .replaceAll(/eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+/g, '<jwt>')
    .replaceAll(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----(?:\\n|\n)?/g, '<certificate>')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uid>')
}

function times(context: NormalContext, input: string): string {
  return unlessOwn(context, input, RFC3339, '<time>')
    .replaceAll(/\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:\.\d+)? \+0000(?: UTC)?/g, '<time>')
    .replaceAll(/(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} \+0000/g, '<time>')
    .replaceAll(/[EWIF]\d{4} \d{2}:\d{2}:\d{2}\.\d+\s+\d+ ([\w.-]+\.go):\d+\]/g, '<klog $1>')
}

function versions(input: string): string {
  return input
    .replaceAll(/(resourceVersion\\*"?\s*:\s*\\*"?)\d+/g, '$1<rv>')
    .replaceAll(/(Resource Version:\s*)\d+/g, '$1<rv>')
    .replaceAll(/(ResourceVersion in record \()\d+/g, '$1<rv>')
    .replaceAll(/(\/tmp\/kubectl-edit-|\/tmp\/LIVE-|\/tmp\/MERGED-)\d+/g, '$1<tmp>')
    .replaceAll(/containerd:\/\/[0-9a-f]{64}/g, 'containerd://<id>')
    .replaceAll(/sha256:[0-9a-f]{64}/g, 'sha256:<digest>')
}

function addresses(context: NormalContext, input: string): string {
  let text = input
  for (const node of context.nodes)
    text = text.replaceAll(new RegExp(`(?<![\\w.-])${escape(node)}(?![\\w-])`, 'g'), '<node>')
  const port = context.serverUrl.split(':').at(-1) ?? ''
  text = text.replaceAll(/(?<![\d.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\d.]*\d)/g, (found) =>
    found === '127.0.0.1' || found === '0.0.0.0' || context.ownText.includes(found) ? found : '<ip>'
  )
  text = text.replaceAll(`<ip>:${port}`, '<ip>:<port>')
  return text.replaceAll(/(?<![\w.])3[0-2]\d{3}(?![\w])/g, (found) =>
    Number(found) < 30_000 || Number(found) > 32_767 || context.ownText.includes(found) ? found : '<nodeport>'
  )
}

function suffixes(context: NormalContext, input: string): string {
  let text = unlessOwn(context, input, /-[456789bcdf]{6,10}(?![A-Za-z0-9])/g, '-<hash>')
  text = text.replaceAll(
    /((?:pod-template-hash|controller-revision-hash)(?:\\*"?\s*[:=]\s*\\*"?|=))[a-z0-9-]+/g,
    (all: string, head: string) => (all.endsWith('<hash>') ? all : `${head}<hash>`)
  )
  text = unlessOwn(context, text, /-[bcdfghjklmnpqrstvwxz2456789]{5}(?![A-Za-z0-9-])/g, '-<suffix>')
  return text
    .replaceAll(/(?<=[a-z0-9>])\.[0-9a-f]{16}(?![0-9a-f])/g, '.<event>')
    .replaceAll(/(continue\\*"?\s*:\s*\\*"?)[A-Za-z0-9_=-]{30,}/g, '$1<continue>')
}

/** Rules 1 to 12 of the pack's README. */
export function normaliseText(context: NormalContext, input: string): string {
  return suffixes(context, addresses(context, versions(times(context, secrets(names(context, input))))))
}

const DURATION = String.raw`(?:\d+(?:y|d|h|m|s|ms))+`
const AGE_WORD = new RegExp(`(?<![\\w.=:/-])${DURATION}(?: \\(x\\d+ over ${DURATION}\\))?(?![\\w.%/-])`, 'g')

function ages(line: string): string {
  return line.replaceAll(new RegExp(`\\(${DURATION} ago\\)`, 'g'), '(<age> ago)').replaceAll(AGE_WORD, '<age>')
}

function tableLine(line: string): string {
  return ages(line.replaceAll(/\s+/g, ' ').trimEnd())
}

function describeLine(line: string): string {
  const indent = /^\s*/.exec(line)?.[0] ?? ''
  let rest = line.slice(indent.length).replaceAll(/\s+/g, ' ').trimEnd()
  rest = rest.replace(/^(Age|Duration): .*$/, '$1: <age>')
  rest = rest.replaceAll(/(?<!\S)-+(?!\S)/g, (dashes) => (dashes.length > 1 ? '---' : dashes))
  if (/^-[- ]*$/.test(rest)) rest = '---'
  if (/^(Normal|Warning) /.test(rest)) {
    rest = rest.replace(new RegExp(`^(\\S+ \\S+) ${DURATION}(?: \\(x\\d+ over ${DURATION}\\))?(?= )`), '$1 <age>')
  }
  return rest === '' ? '' : indent + rest
}

function laidOut(text: string, format: OutputFormat['format']): string {
  if (format === 'table') return text.split('\n').map(tableLine).join('\n')
  return format === 'describe' ? text.split('\n').map(describeLine).join('\n') : text
}

function sortedLines(text: string, keepsHeader: boolean): string {
  const lines = text.split('\n')
  const end = lines.at(-1) === '' ? lines.pop() : undefined
  const header = keepsHeader ? lines.splice(0, 1) : []
  return [...header, ...lines.sort(), ...(end === undefined ? [] : [end])].join('\n')
}

/** Normalises one output stream. */
export function normaliseOutput(context: NormalContext, text: string, format: OutputFormat, isError = false): string {
  let result = laidOut(normaliseText(context, text), isError ? 'text' : format.format)
  if (format.order === 'any') result = sortedLines(result, !isError && format.format === 'table')
  if (format.lines === 'last' && !isError) result = lastLine(result)
  return result
}

function lastLine(text: string): string {
  const lines = text.split('\n').filter((line) => line !== '')
  return `${lines.at(-1) ?? ''}\n`
}

/** Normalises a JSON value: keys and texts, versions, node ports, order of managed fields. */
export function normaliseJson(context: NormalContext, value: unknown, path = ''): unknown {
  // Picked values have their whole path as key.
  const key = path.split('.').at(-1) ?? ''
  if (Array.isArray(value)) {
    const items = value.map((item) => normaliseJson(context, item))
    return key === 'managedFields'
      ? items.sort((left, right) => (managedKey(left) < managedKey(right) ? -1 : 1))
      : items
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(
      ([name, member]) => [normaliseText(context, name), normaliseJson(context, member, name)] as const
    )
    return Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1)))
  }
  if (typeof value === 'number') return key === 'nodePort' && value !== 0 ? '<nodeport>' : value
  if (typeof value !== 'string') return value
  if (key === 'resourceVersion' && /^\d+$/.test(value)) return '<rv>'
  if (key === 'continue' && value.length > 30) return '<continue>'
  return normaliseText(context, value)
}

function managedKey(entry: unknown): string {
  const { manager, operation, subresource, apiVersion } = entry as Record<string, string>
  return [manager, operation, subresource ?? '', apiVersion].join('|')
}
