import { versionOfImage } from '../../joint/index.ts'

/** The part of a request's observation that tells which version answered. */
export interface AnsweredBy {
  readonly key: string
  readonly image: string | undefined
}

/** Most answers remembered that nobody asked about. */
const PENDING_MAX = 10_000

/** Which version answered a request of a load: observed in the client's proxy, asked for when the answer is counted. */
export interface LoadVersions {
  observe(observation: AnsweredBy): void
  /** Version of the image that answered; forgotten afterwards. */
  take(key: string): string | undefined
}

/** Makes an empty memory. */
export function createLoadVersions(): LoadVersions {
  const pending = new Map<string, string>()
  return {
    observe({ key, image }): void {
      if (image === undefined || !key.startsWith('load ') || pending.size >= PENDING_MAX) return
      pending.set(key, versionOfImage(image))
    },
    take(key): string | undefined {
      const version = pending.get(key)
      pending.delete(key)
      return version
    }
  }
}
