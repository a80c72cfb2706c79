import type { KubeObject } from '../../kinds/index.ts'
import { AGE, NAME, specOf, statusOf, templateSpec, wideColumns } from './table-shared.ts'
import { ageOf, fieldsOf, humanDuration, numberOf, recordsOf, textOf, type TableColumn } from './table-column.ts'

function jobStatus(object: KubeObject): string {
  const conditions = recordsOf(statusOf(object)['conditions'])
  const holds = (type: string): boolean => conditions.some((one) => one['type'] === type && one['status'] === 'True')
  if (holds('Complete')) return 'Complete'
  if (holds('Failed')) return 'Failed'
  if (object.metadata.deletionTimestamp !== undefined) return 'Terminating'
  if (holds('Suspended')) return 'Suspended'
  if (holds('FailureTarget')) return 'FailureTarget'
  return holds('SuccessCriteriaMet') ? 'SuccessCriteriaMet' : 'Running'
}

function completions(object: KubeObject): string {
  const { completions: wanted, parallelism } = specOf(object)
  const done = numberOf(statusOf(object)['succeeded'])
  if (typeof wanted === 'number') return `${done}/${wanted}`
  return numberOf(parallelism) > 1 ? `${done}/1 of ${numberOf(parallelism)}` : `${done}/1`
}

function duration(object: KubeObject, now: number): string {
  const { startTime, completionTime } = statusOf(object)
  if (typeof startTime !== 'string') return ''
  const end = typeof completionTime === 'string' ? Date.parse(completionTime) : now
  return humanDuration(end - Date.parse(startTime))
}

const JOBS: readonly TableColumn[] = [
  NAME,
  { name: 'Status', cell: jobStatus },
  { name: 'Completions', cell: completions },
  { name: 'Duration', cell: duration },
  AGE,
  ...wideColumns(templateSpec, '')
]

function jobTemplateSpec(object: KubeObject): Record<string, unknown> {
  const job = fieldsOf(fieldsOf(specOf(object)['jobTemplate'])['spec'])
  return fieldsOf(fieldsOf(job['template'])['spec'])
}

const CRON_JOBS: readonly TableColumn[] = [
  NAME,
  { name: 'Schedule', cell: (object) => textOf(specOf(object)['schedule']) },
  { name: 'Timezone', cell: (object) => textOf(specOf(object)['timeZone']) || '<none>' },
  { name: 'Suspend', type: 'boolean', cell: (object) => (specOf(object)['suspend'] === true ? 'True' : 'False') },
  { name: 'Active', type: 'integer', cell: (object) => recordsOf(statusOf(object)['active']).length },
  {
    name: 'Last Schedule',
    cell: (object, now) => {
      const last = statusOf(object)['lastScheduleTime']
      return typeof last === 'string' ? ageOf(last, now) : '<none>'
    }
  },
  AGE,
  ...wideColumns(jobTemplateSpec, '').slice(0, 2),
  { name: 'Selector', priority: 1, cell: () => '<none>' }
]

/** Columns of jobs. */
export const BATCH_TABLES: Readonly<Record<string, readonly TableColumn[]>> = {
  'batch/jobs': JOBS,
  'batch/cronjobs': CRON_JOBS
}
