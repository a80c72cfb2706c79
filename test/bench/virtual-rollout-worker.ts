import { parentPort, workerData } from 'node:worker_threads'
import { benchVirtualRollout } from './virtual-rollout.ts'

/** A thread that does nothing but rollouts, as many as it was told. */
parentPort?.postMessage(benchVirtualRollout(Number(workerData)))
