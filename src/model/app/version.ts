import { keptByText } from '../../lib/memory/index.ts'

/** Most versions that are read once. */
const VERSIONS_MAX = 500

/** Whether `version` is at least `since`; a version that is no semver (`latest`) counts as newest. */
export function atLeast(version: string, since: string): boolean {
  const own = parseVersion(version)
  const bound = parseVersion(since)
  if (own === undefined || bound === undefined) return true
  for (let index = 0; index < 3; index++) {
    const difference = (own[index] ?? 0) - (bound[index] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return true
}

/** Major, minor, patch; undefined for anything else. */
export const parseVersion: (text: string) => readonly number[] | undefined = keptByText(VERSIONS_MAX, (text) => {
  const found = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:[-+].*)?$/.exec(text)
  return found === null ? undefined : [Number(found[1]), Number(found[2] ?? 0), Number(found[3] ?? 0)]
})

/** The tag of an image reference, `latest` when it has none. */
export function imageTag(image: string): string {
  const name = image.split('@')[0] ?? image
  const colon = name.lastIndexOf(':')
  return colon > name.lastIndexOf('/') ? name.slice(colon + 1) : 'latest'
}
