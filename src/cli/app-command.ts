import { TwinError } from '../lib/errors/index.ts'
import type { AppSpec } from '../kinds/index.ts'
import { parseAppSpec } from '../scenario/index.ts'

/** `twin app`: one app model as a process of its own, the same behaviour as in every world; words behind `--` are the app's. */
export async function appCommand(words: readonly string[], flags: Readonly<Record<string, unknown>>): Promise<number> {
  const spec = readSpec(String(flags['spec']))
  const port = typeof flags['port'] === 'number' ? flags['port'] : undefined
  const { serveAppProcess } = await import('../world/dataplane/index.ts')
  const onLog = (line: string): void => void process.stdout.write(`${line}\n`)
  const app = serveAppProcess(spec, port, { argv: words, env: process.env, onLog })
  // A person ends it at once; whoever stops a container lets it finish what it has begun.
  process.once('SIGINT', () => app.stop())
  process.once('SIGTERM', () => app.terminate())
  const url = await app.opened
  const name = [spec.app, spec.version].filter((word) => word !== undefined).join(' ')
  process.stdout.write(`${name} ${url === undefined ? 'runs' : `listens on ${url}`}; Ctrl-C ends it\n`)
  return app.ended
}

function readSpec(text: string): AppSpec {
  let data: unknown
  try {
    data = JSON.parse(text) as unknown
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause)
    throw new TwinError('TWIN_USAGE', `--spec is no JSON: ${said}`, { cause })
  }
  return parseAppSpec(data)
}
