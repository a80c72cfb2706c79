import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { heyReport } from '../../../src/world/shell/commands/hey-report.ts'
import type { ShellLoadSample } from '../../../src/world/shell/index.ts'

const SHARED = process.env['TWIN_SHARED'] ?? path.join(import.meta.dirname, '../../../../shared')
const RECORDED = path.join(SHARED, 'conformance/podinfo/hey.json')

interface HeyRun {
  readonly name: string
  readonly stdout: string
}

/** Figures differ from run to run; lines, labels and their order may not. */
function shape(text: string): string {
  return text
    .replace(/■+/g, '')
    .replace(/\d+(\.\d+)?/g, '#')
    .replaceAll('[#]\t|', '[#] |')
}

function samples(count: number, over: (index: number) => Partial<ShellLoadSample>): readonly ShellLoadSample[] {
  return Array.from({ length: count }, (_, index) => ({
    offsetMs: index * 50,
    latencyMs: 1 + (index % 7) / 10,
    bytes: 370,
    ...over(index)
  }))
}

describe.skipIf(!existsSync(RECORDED))('heyReport() against recorded runs of hey', () => {
  const runs = existsSync(RECORDED)
    ? (JSON.parse(readFileSync(RECORDED, 'utf8')) as { readonly runs: readonly HeyRun[] }).runs
    : []
  const recorded = (name: string): string => runs.find((run) => run.name === name)?.stdout ?? ''
  const refused = (sample: ShellLoadSample): string => `Get "http://127.0.0.1:9/": ${sample.error?.message ?? ''}`

  it.each([
    ['tutorial-rate-2s', samples(40, () => ({ status: 200 })), 2005.9],
    ['status-500', samples(20, () => ({ status: 500, bytes: 19 })), 3.7],
    ['delay-1', samples(4, (index) => ({ status: 200, bytes: 16, latencyMs: 1001 + index / 3 })), 2003.8],
    [
      'refused',
      samples(4, () => ({
        error: { reason: 'refused', message: 'dial tcp 127.0.0.1:9: connect: connection refused' }
      })),
      0.7
    ],
    [
      'server-dies-after-1s',
      samples(20, (index) =>
        index < 9
          ? { status: 200 }
          : { error: { reason: 'refused', message: 'dial tcp 127.0.0.1:9898: connect: connection refused' } }
      ),
      2007.1
    ]
  ])('%s has the recorded shape', (name, given, totalMs) => {
    const text = heyReport(
      given,
      totalMs,
      name === 'refused' ? refused : (sample) => `Get "http://127.0.0.1:9898/": ${sample.error?.message ?? ''}`
    )
    expect(shape(text)).toBe(shape(recorded(name)))
  })
})
