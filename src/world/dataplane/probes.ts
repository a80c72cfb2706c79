import type { Hold, Timeline } from '../../lib/time/index.ts'
import { shellWords } from '../../model/app/index.ts'
import { ADMIN_PORT } from '../../model/mesh/index.ts'
import { containersOf } from './container.ts'
import { type Cancellable, type HeldTime, waitUntil } from './holds.ts'
import { type PodHost, portNumber } from './pod-host.ts'
import type { Upstream } from './upstream.ts'
import { HOLD_HEADER, KEY_HEADER, PORT_HEADER } from './wire-headers.ts'

/** A probe of core/v1, the parts that say what to do. */
export interface ProbeSpec {
  readonly httpGet?: {
    readonly path?: string
    readonly port: number | string
    readonly httpHeaders?: readonly { readonly name: string; readonly value: string }[]
  }
  readonly tcpSocket?: { readonly port: number | string }
  readonly exec?: { readonly command?: readonly string[] }
  readonly grpc?: { readonly port: number; readonly service?: string }
  readonly timeoutSeconds?: number
}

/** Hears the outcome of a probe. */
export type ProbeDone = (ok: boolean, detail: string) => void

/** What probing needs. */
export interface ProbeContext extends HeldTime {
  /** Runs a probe's command that is none of the known ones. */
  exec(host: PodHost, container: string, argv: readonly string[], hold: Hold | undefined): Promise<number>
}

/** Probes sent per pod: their keys, on which draws depend, must not depend on other worlds of the process. */
const probeCounts = new WeakMap<PodHost, number>()

/**
 * Runs one probe as a kubelet would: HTTP and TCP through the pod's proxy where it has one (and counted there), commands
 * inside the container. `done` hears the outcome once; a probe beyond its time-out fails.
 */
export function runProbe(context: ProbeContext, target: ProbeTarget, done: ProbeDone): void {
  const { host, container, probe } = target
  const { timeline, holds } = context
  const hold = holds?.hold(`probe ${host.key}`)
  let over = false
  let running: Cancellable | undefined
  const finish: ProbeDone = (ok, detail) => {
    if (over) return
    over = true
    timer.cancel()
    running?.cancel()
    // The outcome is heard under the hold: what it changes happens before time moves on.
    hold?.resume()
    done(ok, detail)
    hold?.release()
  }
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000
  const timer = timeline.at(timeline.now() + timeoutMs, () =>
    finish(false, `probe timed out after ${timeoutMs / 1000}s`)
  )
  if (blockedByFault(host, container, probe, timeline)) finish(false, 'not ready')
  else running = start(context, { host, container, probe, hold }, finish)
}

/** What is probed, and how. */
export interface ProbeTarget {
  readonly host: PodHost
  readonly container: string
  readonly probe: ProbeSpec
}

interface Probing extends ProbeTarget {
  readonly hold: Hold | undefined
}

/** A declared `not-ready` fault fails the readiness probe, whatever it asks. */
function blockedByFault(host: PodHost, container: string, probe: ProbeSpec, timeline: Timeline): boolean {
  const app = host.containers.get(container)?.app
  if (app === undefined || app.ready(timeline.now())) return false
  const raw = containersOf(host.pod).find((candidate) => candidate['name'] === container)
  const readiness = raw?.['readinessProbe']
  return readiness === probe || JSON.stringify(readiness) === JSON.stringify(probe)
}

function start(context: ProbeContext, probing: Probing, finish: ProbeDone): Cancellable | undefined {
  const { host, probe, container, hold } = probing
  const raw = containersOf(host.pod).find((candidate) => candidate['name'] === container) ?? {}
  if (probe.httpGet !== undefined) {
    const port = portNumber(raw, probe.httpGet.port)
    const path = probe.httpGet.path ?? '/'
    if (port === ADMIN_PORT && host.meshed) {
      const { status } = host.admin(path, undefined)
      finish(status < 400, `HTTP probe status ${status}`)
      return undefined
    }
    return httpGet({ host, port, path, hold, through: host.proxyUpstream() ?? host.appUpstream(port) }, (status) =>
      finish(
        status >= 200 && status < 400,
        status === 0 ? 'connection refused' : `HTTP probe failed with statuscode: ${status}`
      )
    )
  }
  if (probe.tcpSocket !== undefined || probe.grpc !== undefined) {
    const port = probe.grpc?.port ?? portNumber(raw, probe.tcpSocket?.port)
    // A proxy accepts every connection on its pod's behalf.
    const open = host.meshed ? host.up : host.appUpstream(port) !== undefined
    finish(open, open ? 'connected' : `dial tcp: connect: connection refused`)
    return undefined
  }
  return execProbe(context, probing, probe.exec?.command ?? [], finish)
}

interface ProbeGet {
  readonly host: PodHost
  readonly port: number
  readonly path: string
  readonly hold: Hold | undefined
  readonly through: Upstream | undefined
}

/** @param done - hears the status, 0 when there is no answer */
function httpGet(get: ProbeGet, done: (status: number) => void): Cancellable | undefined {
  if (get.through === undefined) {
    done(0)
    return undefined
  }
  const count = (probeCounts.get(get.host) ?? 0) + 1
  probeCounts.set(get.host, count)
  const headers = ['Host', `${get.host.pod.metadata.name}:${get.port}`, 'User-Agent', 'kube-probe/1.31']
  headers.push(PORT_HEADER, String(get.port), KEY_HEADER, `probe ${get.host.key}#${count}`)
  if (get.hold !== undefined) headers.push(HOLD_HEADER, String(get.hold.id))
  let status = 0
  const abort = get.through.send(
    { method: 'GET', path: get.path, headers, body: undefined },
    {
      head: (code) => {
        status = code
      },
      data: () => {},
      end: () => done(status),
      failed: () => done(0)
    }
  )
  return { cancel: abort }
}

/** podcli waits before its first try. */
const PODCLI_WAIT_MS = 1000

function execProbe(
  context: ProbeContext,
  probing: Probing,
  argv: readonly string[],
  finish: ProbeDone
): Cancellable | undefined {
  const { host, container, hold } = probing
  const url = probedUrl(argv)
  if (url === undefined) {
    context.exec(host, container, argv, hold).then(
      (code) => finish(code === 0, `command exited with ${code}`),
      (error: unknown) => finish(false, String(error))
    )
    return undefined
  }
  const get = (): Cancellable | undefined =>
    httpGet({ host, port: url.port, path: url.path, hold, through: host.appUpstream(url.port) }, (status) =>
      finish(status >= 200 && status < 400, status === 0 ? 'connection refused' : `status ${status}`)
    )
  if (!argv[0]?.endsWith('podcli')) return get()
  let sent: Cancellable | undefined
  const waiting = waitUntil(context, hold, context.timeline.now() + PODCLI_WAIT_MS, () => {
    sent = get()
  })
  return {
    cancel: () => {
      waiting.cancel()
      sent?.cancel()
    }
  }
}

/** The URL on the container itself that a probe's command asks: `podcli check http`, `wget`, `curl`; undefined for any other command. */
export function probedUrl(argv: readonly string[]): { readonly port: number; readonly path: string } | undefined {
  const program = argv[0]?.split('/').at(-1)
  if (program === 'sh' || program === 'bash') {
    const commands = shellWords(argv[2] ?? '', () => '')
    return commands.length === 1 ? probedUrl(commands[0] ?? []) : undefined
  }
  const known =
    program === 'wget' || program === 'curl' || (program === 'podcli' && argv[1] === 'check' && argv[2] === 'http')
  if (!known) return undefined
  const words = argv.slice(program === 'podcli' ? 3 : 1).filter((word) => !word.startsWith('-'))
  const word = words.find((candidate) => /^(https?:\/\/)?(localhost|127\.0\.0\.1)[:/]?/.test(candidate))
  const found = /^(?:https?:\/\/)?[^/:]+(?::(\d+))?(\/.*)?$/.exec(word ?? '')
  return found === null || word === undefined ? undefined : { port: Number(found[1] ?? 80), path: found[2] ?? '/' }
}
