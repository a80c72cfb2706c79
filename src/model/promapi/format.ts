import type { Labels } from '../../lib/tsdb/index.ts'
import { exponentForm, type MatrixSeries, plainForm, type QueryValue } from '../../lib/promql/index.ts'

/** A time in ms as the API prints it: seconds, with milliseconds only when there are some. */
function formatTime(timeMs: number): string {
  const whole = Math.trunc(timeMs / 1000)
  const rest = Math.abs(Math.round(timeMs - whole * 1000))
  const sign = timeMs < 0 && whole === 0 ? '-' : ''
  return rest === 0 ? `${sign}${whole}` : `${sign}${whole}.${String(rest).padStart(3, '0')}`
}

/** A sample's value as the API prints it, without quotes. @see Prometheus util/jsonutil/marshal.go, v2.55.1 */
function formatValue(value: number): string {
  const magnitude = Math.abs(value)
  const exponent = Number.isFinite(value) && magnitude !== 0 && (magnitude < 1e-6 || magnitude >= 1e21)
  return exponent ? exponentForm(value) : plainForm(value)
}

/** A label set as JSON. */
export function labelsJson(labels: Labels): string {
  return JSON.stringify(labels.toRecord())
}

/** The `data` of a query's answer. */
export function queryDataJson(value: QueryValue): string {
  switch (value.type) {
    case 'scalar':
      return `{"resultType":"scalar","result":[${formatTime(value.timeMs)},"${plainForm(value.value)}"]}`
    case 'string':
      return `{"resultType":"string","result":[${formatTime(value.timeMs)},${JSON.stringify(value.value)}]}`
    case 'vector': {
      const time = formatTime(value.timeMs)
      const items = value.elements.map(
        ({ labels, value: sample }) => `{"metric":${labelsJson(labels)},"value":[${time},"${formatValue(sample)}"]}`
      )
      return `{"resultType":"vector","result":[${items.join(',')}]}`
    }
    case 'matrix':
      return `{"resultType":"matrix","result":[${value.series.map(seriesJson).join(',')}]}`
  }
}

function seriesJson(series: MatrixSeries): string {
  const samples = series.times.map(
    (time, index) => `[${formatTime(time)},"${formatValue(series.values[index] ?? Number.NaN)}"]`
  )
  return `{"metric":${labelsJson(series.labels)},"values":[${samples.join(',')}]}`
}
