import type { LogEffect } from './effects.ts'
import { FLAGGER_VERSION } from './gauges.ts'
import { unusableReceiver } from './notifiers/registry.ts'
import type { ControllerSettings } from './settings.ts'

const KUBERNETES_VERSION = 'v1.36.3'
const HTTP_PORT = 8080
/** Only so much of the global receiver's address is told, and only of longer ones. */
const ADDRESS_SHOWN = 30

/**
 * What a process logs until its workers run.
 * @see fluxcd/flagger cmd/flagger/main.go, pkg/controller/controller.go Run 1.44.0
 */
export function startLines(settings: ControllerSettings): readonly LogEffect[] {
  const { meshProvider, metricsServer, namespace } = settings
  const informers = ['canary', 'metric template', 'alert provider'].flatMap((what) => [
    `Waiting for ${what} informer cache to sync`,
    'Waiting for caches to sync',
    'Caches are synced'
  ])
  return [
    line('info', `Starting flagger version ${FLAGGER_VERSION} revision unknown mesh provider ${meshProvider}`),
    line('info', `Connected to Kubernetes API ${KUBERNETES_VERSION}`),
    ...informers.map((message) => line('info', message)),
    ...(namespace === '' ? [] : [line('info', `Watching namespace ${namespace}`)]),
    line('info', `Connected to metrics server ${metricsServer}`),
    ...notifierLines(settings),
    line('debug', 'Creating event broadcaster'),
    line('info', 'Starting operator'),
    line('info', 'Started operator workers'),
    line('info', `Starting HTTP server on port ${HTTP_PORT}`)
  ]
}

function notifierLines({ globalReceiver }: ControllerSettings): readonly LogEffect[] {
  if (globalReceiver === undefined) return []
  const problem = unusableReceiver(globalReceiver)
  if (problem !== undefined) return [line('error', `Notifier ${problem}`)]
  const { url } = globalReceiver
  return url.length > ADDRESS_SHOWN ? [line('info', `Notifications enabled for ${url.slice(0, ADDRESS_SHOWN)}`)] : []
}

function line(level: LogEffect['level'], message: string): LogEffect {
  return { effect: 'log', level, message }
}
