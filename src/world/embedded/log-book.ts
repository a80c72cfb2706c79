import type { Clock, Instant } from '../../lib/time/index.ts'

/** Most lines kept per container; older ones are gone, as after a log rotation. */
const LINES_MAX = 10_000

/** One line a container has written. */
export interface LogLine {
  readonly at: Instant
  readonly text: string
}

/** What the containers of a world have written. */
export interface LogBook {
  write(namespace: string, pod: string, container: string, text: string): void
  read(namespace: string, pod: string, container: string): readonly LogLine[]
  /** Calls back with each line to come; returns the way out. */
  follow(namespace: string, pod: string, container: string, listener: (line: LogLine) => void): () => void
}

/** Makes an empty log book. */
export function createLogBook(clock: Clock): LogBook {
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
    read: (namespace, pod, container) => lines.get(`${namespace}/${pod}/${container}`) ?? [],
    follow(namespace, pod, container, listener): () => void {
      const key = `${namespace}/${pod}/${container}`
      const set = followers.get(key) ?? new Set()
      set.add(listener)
      followers.set(key, set)
      return () => set.delete(listener)
    }
  }
}
