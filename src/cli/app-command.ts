import { TwinError } from '../lib/errors/index.ts'
import type { AppSpec } from '../kinds/index.ts'
import { parseAppSpec } from '../scenario/index.ts'
import { interruptSignal } from './interrupt.ts'

/** `twin app`: one app model as a process of its own, the same behaviour as in every world. */
export async function appCommand(flags: Readonly<Record<string, unknown>>): Promise<number> {
  const spec = readSpec(String(flags['spec']))
  const { serveAppProcess } = await import('../world/dataplane/index.ts')
  const server = await serveAppProcess({ spec, port: Number(flags['port']), host: String(flags['host']) })
  process.stdout.write(`${spec.app} ${spec.version ?? ''} listens on ${server.url}\n`)
  const signal = interruptSignal()
  if (!signal.aborted)
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  await server.close()
  return 0
}

function readSpec(text: string): AppSpec {
  let data: unknown
  try {
    data = JSON.parse(text) as unknown
  } catch (cause) {
    throw new TwinError('TWIN_USAGE', `--spec is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause
    })
  }
  return parseAppSpec(data)
}
