/** A check without values says why, in the trace that a run leaves. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, test, onTestFinished } from 'vitest'
import { runTask } from '../../src/run/case-task.ts'
import { loadScenarioFile } from '../../src/scenario/index.ts'
import { decodeTrace } from '../../src/trace/index.ts'

const file = resolve(import.meta.dirname, '../../scenarios/traps/no-user-traffic-before-2-10.yaml')

test.each(['embedded', 'virtual'])('halts without traffic name the missing series in the %s world', async (world) => {
  const outputFolder = mkdtempSync(join(tmpdir(), 'twin-absence-'))
  onTestFinished(() => rmSync(outputFolder, { recursive: true, force: true }))
  const [scenario] = loadScenarioFile(file).cases
  if (scenario === undefined) throw new Error(`${file} holds no case`)
  const lines: string[] = []
  const result = await runTask(
    { scenario, world, outputFolder, repetition: 0, versions: {}, verbose: false },
    { signal: new AbortController().signal, onLine: (line) => lines.push(line) }
  )
  const trace = decodeTrace(readFileSync(join(outputFolder, scenario.name, 'trace.ndjson'), 'utf8'))
  const causes = trace.ok
    ? trace.events.flatMap((event) =>
        event.kind === 'decision' && event.reason === 'halt-no-values'
          ? event.evidence.map((item) => item.absentBecause)
          : []
      )
    : []
  expect(result.outcome).toBe('passed')
  expect(causes).toEqual(Array.from({ length: 3 }, () => 'no series: no series response_total'))
  expect(lines.filter((line) => line.endsWith('(no values: no series: no series response_total)'))).toHaveLength(3)
})
