import { wallClock } from '../../lib/time/index.ts'

/** What wall time is spent on, as far as it can be told apart. */
export type WallUse = 'requests' | 'api' | 'scrapes' | 'queries'

/** Milliseconds between two looks at the memory. */
const MEMORY_LOOK_MS = 250

/** Figures about the machine's side of a run; they never reach a metric of the run. */
export interface WallFigures {
  spend(use: WallUse, wallMs: number): void
  /** Wall milliseconds by use; the rest of the run is `other`. */
  byUse(): Readonly<Record<string, number>>
  wallMs(): number
  peakRssBytes(): number
  stop(): void
}

/** Starts counting. */
export function startFigures(): WallFigures {
  const began = wallClock.now()
  const spent: Record<WallUse, number> = { requests: 0, api: 0, scrapes: 0, queries: 0 }
  let ended: number | undefined
  let peak = process.memoryUsage.rss()
  const look = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss())
  }, MEMORY_LOOK_MS)
  look.unref()
  const wallMs = (): number => (ended ?? wallClock.now()) - began
  return {
    spend(use, ms): void {
      spent[use] += ms
    },
    byUse(): Readonly<Record<string, number>> {
      const known = Object.values(spent).reduce((sum, ms) => sum + ms, 0)
      return { ...spent, other: Math.max(0, wallMs() - known) }
    },
    wallMs,
    peakRssBytes(): number {
      peak = Math.max(peak, process.memoryUsage.rss())
      return peak
    },
    stop(): void {
      ended ??= wallClock.now()
      clearInterval(look)
    }
  }
}
