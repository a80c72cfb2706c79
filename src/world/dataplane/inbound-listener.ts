import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Timeline } from '../../lib/time/index.ts'
import {
  ADMIN_PORT,
  answerAdmin,
  hopDelay,
  type InboundCall,
  type InboundPeer,
  type InboundProxy,
  type ProxyMetrics
} from '../../model/mesh/index.ts'
import { type Holds, type HoldUsers, waitUntil } from './holds.ts'
import { Listener, readBody } from './listener.ts'
import { forwardedHeaders, headerOf, Passage, Relay } from './relay.ts'
import type { Upstream } from './upstream.ts'
import { CLIENT_HEADER, HOLD_HEADER, KEY_HEADER, PORT_HEADER } from './wire-headers.ts'

/** What an inbound proxy's listener needs. */
export interface InboundListenerOptions {
  readonly name: string
  readonly timeline: Timeline
  readonly holds: Holds | undefined
  readonly users: HoldUsers
  readonly seed: number
  /** Whether requests take the modelled time of a hop. */
  readonly hopDelays: boolean
  readonly proxy: InboundProxy
  readonly metrics: ProxyMetrics
  readonly adminTraffic: boolean
  /** Connections to the application's port; undefined when nothing listens there. */
  upstream(port: number): Upstream | undefined
}

const DROPPED: ReadonlySet<string> = new Set(['l5d-client-id'])

/** The listener in front of a meshed pod: what iptables would redirect to its proxy's port 4143. */
export function openInboundListener(options: InboundListenerOptions): Listener {
  return new Listener((incoming, response) => handle(options, incoming, response), {
    name: `proxy of ${options.name}`,
    holds: options.holds
  })
}

function handle(options: InboundListenerOptions, incoming: IncomingMessage, response: ServerResponse): void {
  const { timeline, proxy } = options
  const port = Number(headerOf(incoming, PORT_HEADER) ?? 0)
  const clientId = headerOf(incoming, CLIENT_HEADER)
  const peer: InboundPeer = clientId === undefined ? {} : { clientId }
  const relay = new Relay(response)
  const path = (incoming.url ?? '/').split('?')[0] ?? '/'
  const method = incoming.method ?? 'GET'
  if (port === ADMIN_PORT) {
    const admin = { inbound: proxy, metrics: options.metrics, ready: true, counted: options.adminTraffic }
    relay.answer(answerAdmin({ method, path, peer }, admin, timeline.now()))
    return
  }
  const holdId = headerOf(incoming, HOLD_HEADER)
  const hold = holdId === undefined ? undefined : options.holds?.find(Number(holdId))
  const contentType = incoming.headers['content-type']
  const call = proxy.begin({ port, method, path, contentType, peer }, timeline.now())
  const passage = new Passage(response, {
    hold,
    timeline,
    users: options.users,
    onGone: () => call.abandoned(timeline.now())
  })
  const key = headerOf(incoming, KEY_HEADER) ?? ''
  readBody(incoming, (body) => {
    const headers = forwardedHeaders(incoming.rawHeaders, DROPPED)
    headers.push(KEY_HEADER, key)
    if (holdId !== undefined) headers.push(HOLD_HEADER, holdId)
    if (clientId !== undefined) headers.push('l5d-client-id', clientId)
    const send = (): void => {
      passage.waits(undefined)
      const upstream = options.upstream(port)
      call.dispatched(timeline.now())
      if (upstream === undefined) refuse(call, passage, relay, clientId === undefined)
      else {
        const request = { method, path: incoming.url ?? '/', headers, body }
        passage.sends(upstream.send(request, answerListener(call, passage, relay, clientId === undefined)))
      }
    }
    if (hold === undefined || !options.hopDelays) send()
    else passage.waits(waitUntil(options, hold, timeline.now() + hopDelay(options.seed, options.name, key), send))
  })
}

function refuse(call: InboundCall, passage: Passage, relay: Relay, unmeshed: boolean): void {
  const status = call.failed('refused', passage.timeline.now())
  passage.finish()
  relay.answer({ status, headers: {}, body: '', close: unmeshed })
}

function answerListener(
  call: InboundCall,
  passage: Passage,
  relay: Relay,
  unmeshed: boolean
): Parameters<Upstream['send']>[1] {
  const { timeline } = passage
  return {
    head: (status, headers) => {
      const grpcStatus = headers['grpc-status']
      call.head(status, typeof grpcStatus === 'string' ? grpcStatus : undefined)
      relay.head(status, headers)
    },
    data: (chunk) => {
      call.body(timeline.now())
      relay.data(chunk)
    },
    end: (trailers) => {
      const grpcStatus = trailers['grpc-status']
      call.end(timeline.now(), typeof grpcStatus === 'string' ? grpcStatus : undefined)
      passage.finish()
      relay.end()
    },
    failed: (reason) => {
      passage.finish()
      if (relay.headed) {
        call.broken(timeline.now())
        relay.break()
        return
      }
      const status = call.failed(reason, timeline.now())
      relay.answer({ status, headers: {}, body: '', close: unmeshed })
    }
  }
}
