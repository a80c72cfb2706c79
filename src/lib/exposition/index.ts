export { type ExpositionSample, type MetricMetadata, parseExposition } from './parse.ts'
export { formatSeries, type MetricFamily, printTextFormat } from './print.ts'
export { SeriesMemory } from './series-memory.ts'
