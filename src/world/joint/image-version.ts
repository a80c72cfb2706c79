import { keptByText } from '../../lib/memory/index.ts'

/** Most images whose tags are kept. */
const VERSIONS_MAX = 500

/** The tag of an image, or the whole of it where there is none: loads name the same few with every answer. */
export const versionOfImage: (image: string) => string = keptByText(
  VERSIONS_MAX,
  (image) => /:([^:/@]+)(?:@|$)/.exec(image)?.[1] ?? image
)
