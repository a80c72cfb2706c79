import { isUtf8 } from 'node:buffer'
import type { Labels } from '../tsdb/index.ts'
import { readOpenMetrics } from './openmetrics-format.ts'
import { ExpositionError } from './scanner.ts'
import type { Sink } from './sink.ts'
import { SeriesMemory } from './series-memory.ts'
import { readTextFormat } from './text-format.ts'

/** One sample of a body. */
export interface ExpositionSample {
  /** The series as written: equal texts are equal series of one target. */
  readonly series: string
  readonly labels: Labels
  readonly value: number
  /** Only when the body states a time. */
  readonly timestampMs: number | undefined
}

/** Type, help and unit of a metric family. */
export interface MetricMetadata {
  type: string
  help: string
  unit: string
}

/** A parsed body, or why the whole scrape fails. */
export type ExpositionOutcome =
  | { readonly ok: true; readonly samples: ExpositionSample[]; readonly metadata: Map<string, MetricMetadata> }
  | { readonly ok: false; readonly error: string }

/**
 * Parses an exposition. Only `application/openmetrics-text` is read as OpenMetrics, anything else as text format.
 * @param body - text, or the bytes as received
 * @param contentType - Content-Type header; empty or unknown means text format
 * @param known - what earlier bodies of the target had, kept by the caller from scrape to scrape to save parsing
 * @see prometheus model/textparse, v2.55.1
 */
export function parseExposition(
  body: string | Uint8Array,
  contentType: string,
  known: SeriesMemory = new SeriesMemory()
): ExpositionOutcome {
  const text = typeof body === 'string' ? body : Buffer.from(body).toString('utf8')
  const damaged = typeof body !== 'string' && !isUtf8(body)
  known.begin()
  const samples: ExpositionSample[] = []
  const metadata = new Map<string, MetricMetadata>()
  const sink = collect(samples, metadata)
  const openMetrics = /^\s*application\/openmetrics-text\s*(?:;|$)/i.test(contentType)
  try {
    if (openMetrics) readOpenMetrics(text, damaged, known, sink)
    else readTextFormat(text, damaged, known, sink)
  } catch (error) {
    if (error instanceof ExpositionError) return { ok: false, error: error.message }
    throw error
  }
  return { ok: true, samples, metadata }
}

function collect(samples: ExpositionSample[], metadata: Map<string, MetricMetadata>): Sink {
  const of = (metric: string): MetricMetadata => {
    let known = metadata.get(metric)
    if (known === undefined) metadata.set(metric, (known = { type: 'unknown', help: '', unit: '' }))
    return known
  }
  return {
    sample: (series, labels, value, timestampMs) => samples.push({ series, labels, value, timestampMs }),
    help: (metric, text) => (of(metric).help = text),
    type: (metric, type) => (of(metric).type = type),
    unit: (metric, unit) => (of(metric).unit = unit)
  }
}
