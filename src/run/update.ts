import { readFileSync, writeFileSync } from 'node:fs'
import { isSeq, LineCounter, parseAllDocuments } from 'yaml'
import { happenedSequence, type Verdict } from '../check/index.ts'
import type { CaseResult } from './result.ts'

/**
 * Writes what happened into the sequences that did not hold, keeping everything else of the files as it is.
 * @returns what was done or why not, one line each
 */
export function updateSequences(results: readonly CaseResult[]): string[] {
  return results.flatMap((result) =>
    result.verdicts
      .filter((verdict) => !verdict.met && verdict.expectation.kind === 'sequence')
      .map((verdict) => updateSequence(result, verdict))
  )
}

function updateSequence(result: CaseResult, verdict: Verdict): string {
  const { expectation } = verdict
  const { file, line } = expectation.place
  if (result.name.includes('[')) return `${file}:${line}: not updated: the scenario has a matrix, its cases differ`
  if (verdict.happened === undefined) return `${file}:${line}: not updated: nothing happened`
  const text = readFileSync(file, 'utf8')
  const lines = new LineCounter()
  const documents = parseAllDocuments(text, { lineCounter: lines })
  for (const document of 'empty' in documents ? [] : documents) {
    const expectations: unknown = document.getIn(['spec', 'expect'])
    for (const index of isSeq(expectations) ? expectations.items.keys() : []) {
      const node: unknown = document.getIn(['spec', 'expect', index, 'sequence'], true)
      const owner = document.getIn(['spec', 'expect', index], true) as { range?: [number, number, number] } | undefined
      if (!isSeq(node) || node.range === undefined || node.range === null) continue
      if (lines.linePos(owner?.range?.[0] ?? 0).line !== line) continue
      const [start, end] = node.range
      const column = lines.linePos(start).col - 1
      const items = happenedSequence(verdict.happened)
      writeFileSync(file, text.slice(0, start) + sequenceText(items, node.flow === true, column) + text.slice(end))
      return `${file}:${line}: sequence updated`
    }
  }
  return `${file}:${line}: not updated: the sequence was not found`
}

function sequenceText(items: readonly string[], flow: boolean, column: number): string {
  if (flow) return `[${items.join(', ')}]`
  return `${items.map((item) => `- ${item}`).join(`\n${' '.repeat(column)}`)}\n`
}
