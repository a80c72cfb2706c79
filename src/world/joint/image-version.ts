/** Tags by image: loads name the same few with every answer. */
const versions = new Map<string, string>()

/** Most images whose tags are kept. */
const VERSIONS_MAX = 500

/** The tag of an image, or the whole of it where there is none. */
export function versionOfImage(image: string): string {
  const known = versions.get(image)
  if (known !== undefined) return known
  const version = /:([^:/@]+)(?:@|$)/.exec(image)?.[1] ?? image
  if (versions.size >= VERSIONS_MAX) versions.clear()
  versions.set(image, version)
  return version
}
