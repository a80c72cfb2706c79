/** The tag of an image, or the whole of it where there is none. */
export function versionOfImage(image: string): string {
  return /:([^:/@]+)(?:@|$)/.exec(image)?.[1] ?? image
}
