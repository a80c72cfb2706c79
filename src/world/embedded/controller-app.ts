import {
  type AppAnswer,
  type AppContainer,
  type AppCore,
  type AppPlan,
  imageTag,
  respond
} from '../../model/app/index.ts'
import type { Controller } from '../controller/index.ts'

const TEXT = { 'Content-Type': 'text/plain; charset=utf-8' }
/** What promhttp names its text format. @see prometheus/common expfmt/encode.go v0.67.5 */
const EXPOSITION = { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores' }

/** What a pod of the controller needs to answer. */
export interface ControllerAppOptions {
  readonly container: AppContainer
  /** Flag `-port`. */
  readonly port: number
  /** The process in that pod; undefined while it is starting. */
  readonly controller: () => Controller | undefined
}

/**
 * The HTTP server of the controller's pod: its own metrics and its health. The metrics of the Go runtime, the process
 * and the handler that stand beside them upstream are not there.
 * @see fluxcd/flagger pkg/server/server.go ListenAndServe 1.44.0
 */
export function controllerApp({ container, port, controller }: ControllerAppOptions): AppCore {
  return {
    version: imageTag(container.image),
    ports: [port],
    startupMs: 50,
    serve: ({ target }) => instant(answer(target, controller()))
  }
}

// oxlint-disable-next-line require-yield -- answers at once
function* instant(answered: AppAnswer): AppPlan {
  return answered
}

function answer(target: string, controller: Controller | undefined): AppAnswer {
  const path = target.replace(/\?.*$/, '')
  if (path === '/healthz') return respond(200, TEXT, 'OK')
  if (path === '/metrics') return respond(200, EXPOSITION, controller?.gauges.exposition() ?? '')
  return respond(404, { ...TEXT, 'X-Content-Type-Options': 'nosniff' }, '404 page not found\n')
}
