import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { VirtualRolloutFigures } from './virtual-rollout.ts'

const PROCESS = fileURLToPath(new URL('./virtual-rollout-process.ts', import.meta.url))

/** Measures rollouts in a process of their own: its peak is theirs, whatever was measured before. */
export function benchVirtualRollouts(runs: number): Promise<VirtualRolloutFigures> {
  const child = fork(PROCESS, [String(runs)], { serialization: 'advanced' })
  return new Promise((resolve, reject) => {
    child.once('message', (figures) => resolve(figures as VirtualRolloutFigures))
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`the process of the rollouts ended with ${code}`)))
  })
}
