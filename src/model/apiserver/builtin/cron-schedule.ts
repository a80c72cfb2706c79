import { goQuote, invalidError, requiredError, type FieldError, type JsonMap } from '../../../lib/apimachinery/index.ts'
import { textOf } from './draft.ts'

/** A field of a schedule: its range and the names it understands. */
interface ScheduleField {
  readonly min: number
  readonly max: number
  readonly names: readonly string[]
}

const FIELDS: readonly ScheduleField[] = [
  { min: 0, max: 59, names: [] },
  { min: 0, max: 23, names: [] },
  { min: 1, max: 31, names: [] },
  { min: 1, max: 12, names: ['', 'jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'] },
  { min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] }
]

const DESCRIPTORS: ReadonlySet<string> = new Set([
  '@yearly',
  '@annually',
  '@monthly',
  '@weekly',
  '@daily',
  '@midnight',
  '@hourly'
])

/**
 * What is wrong with a schedule, in the words of robfig/cron v3.
 * @param schedule - five fields or a descriptor
 */
function scheduleProblem(schedule: string): string | undefined {
  if (schedule.startsWith('@')) {
    if (DESCRIPTORS.has(schedule) || /^@every ([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$/.test(schedule)) return undefined
    return `unrecognized descriptor: ${schedule}`
  }
  const parts = schedule.split(/\s+/).filter((part) => part !== '')
  if (parts.length !== FIELDS.length)
    return `expected exactly ${FIELDS.length} fields, found ${parts.length}: [${parts.join(' ')}]`
  for (const [index, field] of FIELDS.entries()) {
    for (const range of (parts[index] ?? '').split(',')) {
      const problem = rangeProblem(range, field)
      if (problem !== undefined) return problem
    }
  }
  return undefined
}

function rangeProblem(range: string, field: ScheduleField): string | undefined {
  const [bounds = '', step, ...more] = range.split('/')
  if (more.length > 0) return `too many slashes: ${range}`
  const [low = '', high, ...rest] = bounds.split('-')
  if (rest.length > 0) return `too many hyphens: ${range}`
  if (step !== undefined && !/^\d+$/.test(step))
    return `failed to parse int from ${step}: strconv.Atoi: parsing ${goQuote(step)}: invalid syntax`
  if (Number(step) === 0) return `step of range should be a positive number: ${range}`
  if (low === '*' || low === '?') return undefined
  const start = numberOf(low, field)
  const end = high === undefined ? (step === undefined ? start : field.max) : numberOf(high, field)
  if (typeof start === 'string') return start
  if (typeof end === 'string') return end
  if (start < field.min) return `beginning of range (${start}) below minimum (${field.min}): ${range}`
  if (end > field.max) return `end of range (${end}) above maximum (${field.max}): ${range}`
  return start > end ? `beginning of range (${start}) beyond end of range (${end}): ${range}` : undefined
}

/** The number a text means, or what is wrong with it. */
function numberOf(text: string, field: ScheduleField): number | string {
  const named = field.names.indexOf(text.toLowerCase())
  if (named >= 0 && text !== '') return named
  if (/^\d+$/.test(text)) return Number(text)
  return `failed to parse int from ${text}: strconv.Atoi: parsing ${goQuote(text)}: invalid syntax`
}

/**
 * Validates schedule and time zone of a CronJob.
 * @param spec - of the CronJob
 */
export function scheduleErrors(spec: JsonMap): FieldError[] {
  const schedule = textOf(spec['schedule'])
  const errors: FieldError[] = []
  if (schedule === '') errors.push(requiredError('spec.schedule'))
  else {
    if (schedule.includes('TZ')) {
      errors.push(
        invalidError('spec.schedule', schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead')
      )
    }
    const problem = scheduleProblem(schedule.replace(/^(CRON_)?TZ=\S+\s*/, ''))
    if (problem !== undefined) errors.push(invalidError('spec.schedule', schedule, problem))
  }
  const zone = spec['timeZone']
  if (typeof zone === 'string' && !isTimeZone(zone))
    errors.push(invalidError('spec.timeZone', zone, `unknown time zone ${zone}`))
  return errors
}

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== ''
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return false
  }
}
