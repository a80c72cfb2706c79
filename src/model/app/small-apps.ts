import { parseVersion, imageTag } from './version.ts'
import type { AppContainer, AppCore, AppOptions, AppRequest } from './app.ts'
import { envOf } from './command-line.ts'
import { textError } from './go-http.ts'
import { type AppAnswer, type AppPlan, respond } from './plan.ts'

const PLAIN: Readonly<Record<string, string>> = { 'Content-Type': 'text/plain; charset=utf-8' }

// oxlint-disable-next-line require-yield -- answers at once
function* instant(answer: AppAnswer): AppPlan {
  return answer
}

/** The port an app without flags listens on: `PORT`, else the first the container declares, else the app's own. */
function listenPort(container: AppContainer, own: number): number {
  return Number(envOf(container, 'PORT') ?? 0) || container.containerPorts[0] || own
}

/**
 * The article's test service: 1.0 says `Hello v1`, 2.0 its next version, 3.0 answers 404 to everything.
 * Options `status` and `body` replace the answer.
 */
export function createTestApp(options: AppOptions): AppCore {
  const { spec, container } = options
  const version = spec.version ?? imageTag(container.image)
  const major = parseVersion(version)?.[0] ?? 1
  const status = Number(spec.options['status'] ?? (major === 3 ? 404 : 200))
  const body = String(spec.options['body'] ?? (status === 404 ? '404 page not found\n' : `Hello v${major}`))
  const port = Number(spec.options['port'] ?? listenPort(container, 8080))
  const answer = status === 404 ? textError(404, body) : respond(status, PLAIN, body)
  return { version, ports: [port], startupMs: 200, serve: () => instant(answer), standing: () => true }
}

/** A server that greets: option `body`, else `TEXT` or `MESSAGE` of the environment, else `Hello, world!` and the version. */
export function createHelloWorld(options: AppOptions): AppCore {
  const { spec, container } = options
  const version = spec.version ?? imageTag(container.image)
  const text = envOf(container, 'TEXT') ?? envOf(container, 'MESSAGE')
  const fallback = `Hello, world!\nVersion: ${version}\nHostname: ${container.hostname}\n`
  const body = String(spec.options['body'] ?? text ?? fallback)
  const port = Number(spec.options['port'] ?? listenPort(container, 8080))
  const status = Number(spec.options['status'] ?? 200)
  const answer = respond(status, PLAIN, body)
  return { version, ports: [port], startupMs: 200, serve: () => instant(answer), standing: () => true }
}

/** A container that only waits. */
export function createPause(options: AppOptions): AppCore {
  return {
    version: options.spec.version ?? imageTag(options.container.image),
    ports: [],
    startupMs: 50,
    serve: (_request: AppRequest) => instant({ kind: 'reset' })
  }
}
