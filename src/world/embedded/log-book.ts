import type { Clock, Instant } from '../../lib/time/index.ts'

/** Most lines kept per container; older ones are gone, as after a log rotation. */
const LINES_MAX = 10_000

/** One line a container has written. */
export interface LogLine {
  readonly at: Instant
  readonly text: string
}

/** Wall milliseconds between two looks at what an app has written, while somebody follows its log. */
const FOLLOW_WALL_MS = 100

/** Lines of an app's container so far; undefined where no app runs. */
export type AppLines = (podKey: string, container: string) => readonly LogLine[] | undefined

/** What the containers of a world have written: the apps by themselves, the twin's own parts into this book. */
export interface LogBook {
  write(namespace: string, pod: string, container: string, text: string): void
  read(namespace: string, pod: string, container: string): readonly LogLine[]
  /** Calls back with each line to come; returns the way out. */
  follow(namespace: string, pod: string, container: string, listener: (line: LogLine) => void): () => void
}

/** Makes an empty log book beside what the apps keep themselves. */
export function createLogBook(clock: Clock, appLines: AppLines): LogBook {
  const lines = new Map<string, LogLine[]>()
  const followers = new Map<string, Set<(line: LogLine) => void>>()
  return {
    write(namespace, pod, container, text): void {
      const key = `${namespace}/${pod}/${container}`
      const line: LogLine = { at: clock.now(), text }
      const kept = lines.get(key) ?? []
      kept.push(line)
      if (kept.length > LINES_MAX) kept.splice(0, LINES_MAX / 10)
      lines.set(key, kept)
      for (const follower of followers.get(key) ?? []) follower(line)
    },
    read: (namespace, pod, container) => [
      ...(lines.get(`${namespace}/${pod}/${container}`) ?? []),
      ...(appLines(`${namespace}/${pod}`, container) ?? [])
    ],
    follow(namespace, pod, container, listener): () => void {
      const key = `${namespace}/${pod}/${container}`
      const set = followers.get(key) ?? new Set()
      set.add(listener)
      followers.set(key, set)
      let last = appLines(`${namespace}/${pod}`, container)?.at(-1)
      const look = setInterval(() => {
        const all = appLines(`${namespace}/${pod}`, container) ?? []
        // The last line seen is not there any more when the log was rotated or the container began again.
        const seen = last === undefined ? -1 : all.lastIndexOf(last)
        for (const line of all.slice(seen + 1)) listener(line)
        last = all.at(-1) ?? last
      }, FOLLOW_WALL_MS)
      look.unref()
      return () => {
        clearInterval(look)
        set.delete(listener)
      }
    }
  }
}
