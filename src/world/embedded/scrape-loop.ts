import type { Scheduled } from '../../lib/time/index.ts'
import type { DiscoveredPod, ScrapeResult, Scraper, ScrapeTask } from '../../model/scrape/index.ts'
import type { WorldClock } from './clock.ts'

/** What a scrape loop needs of its world. */
export interface ScrapeLoopOptions {
  readonly clock: WorldClock
  readonly scraper: Scraper
  /** Pods that discovery sees. */
  readonly pods: () => readonly DiscoveredPod[]
  /** Makes one scrape over HTTP; `holdId` travels with it. */
  readonly fetch: (task: ScrapeTask, holdId: number) => Promise<ScrapeResult>
  /** Told the wall milliseconds of each scrape. */
  readonly onScrape: (wallMs: number) => void
}

/** Scrapes every target when the scraper says so. */
export interface ScrapeLoop {
  /** Pods have changed. */
  podsChanged(): void
  stop(): void
}

/** Starts the loop; each scrape keeps simulated time standing while it is under way. */
export function startScrapeLoop(options: ScrapeLoopOptions): ScrapeLoop {
  const { clock, scraper } = options
  let armed: { readonly due: number; readonly scheduled: Scheduled } | undefined
  let podsPending = false
  let stopped = false

  function arm(): void {
    const due = scraper.nextDueMs()
    if (stopped || due === undefined || (armed !== undefined && armed.due <= due)) return
    armed?.scheduled.cancel()
    armed = { due, scheduled: clock.at(due, tick) }
  }
  function tick(): void {
    armed = undefined
    for (const task of scraper.tick(clock.now())) void scrape(task)
    arm()
  }
  async function scrape(task: ScrapeTask): Promise<void> {
    const hold = clock.hold(`scrape ${task.target.address}`)
    const began = performance.now()
    try {
      const result = await options.fetch(task, hold.id)
      if (!stopped) scraper.finish(task, result)
    } finally {
      options.onScrape(performance.now() - began)
      hold.release()
    }
  }
  arm()
  return {
    podsChanged(): void {
      if (podsPending || stopped) return
      podsPending = true
      // Many pods change in one instant; the list is read once, after all of them.
      clock.at(clock.now(), () => {
        podsPending = false
        scraper.setPods(options.pods(), clock.now())
        arm()
      })
    },
    stop(): void {
      stopped = true
      armed?.scheduled.cancel()
    }
  }
}
