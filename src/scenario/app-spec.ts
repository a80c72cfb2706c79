import { TwinError } from '../lib/errors/index.ts'
import type { AppSpec } from '../kinds/index.ts'
import { resolveImage } from './resolve-images.ts'
import { image } from './schema-parts.ts'

/**
 * Reads the behaviour of an image from data written as in `spec.images`.
 * @throws TwinError TWIN_USAGE that says what is wrong
 */
export function parseAppSpec(data: unknown): AppSpec {
  const parsed = image.safeParse(data)
  if (parsed.success) return resolveImage('', parsed.data)
  const [issue] = parsed.error.issues
  const path = issue?.path.map(String).join('.') ?? ''
  throw new TwinError('TWIN_USAGE', `--spec${path === '' ? '' : ` ${path}`}: ${issue?.message ?? 'invalid'}`)
}
