import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Timeline } from '../../lib/time/index.ts'
import {
  type HeaderChange,
  hopDelay,
  type MeshEndpoint,
  type OutboundAttempt,
  type OutboundExchange,
  type OutboundProxy,
  type ProxyAnswer
} from '../../model/mesh/index.ts'
import { type Holds, type HoldUsers, waitUntil } from './holds.ts'
import { Listener, readBody } from './listener.ts'
import type { RequestObservation } from './observation.ts'
import { forwardedHeaders, headerOf, Passage, Relay } from './relay.ts'
import type { Upstream } from './upstream.ts'
import { CLIENT_HEADER, ERROR_HEADER, HOLD_HEADER, KEY_HEADER, PORT_HEADER, TARGET_HEADER } from './wire-headers.ts'

/** Where a request goes on the wire: a pod's proxy, or an application straight away. */
export interface EndpointRoute {
  readonly upstream: Upstream
  /** It is a proxy: it wants to know the port and the caller. */
  readonly proxied: boolean
  /** Image of the application behind it, for observers. */
  readonly image: string | undefined
}

/** What a client's outbound listener needs. */
export interface OutboundListenerOptions {
  /** `namespace/name` of the client. */
  readonly client: string
  /** Mesh identity; absent: the client has no proxy. */
  readonly identity: string | undefined
  readonly timeline: Timeline
  readonly holds: Holds | undefined
  readonly users: HoldUsers
  readonly seed: number
  readonly hopDelays: boolean
  readonly proxy: OutboundProxy
  /** The way to an endpoint; undefined when nothing answers there. */
  route(endpoint: MeshEndpoint): EndpointRoute | undefined
  /** The way to a port of the client's own pod. */
  loopback(port: number): Upstream | undefined
  /** The way to a host that is no Service of the cluster; undefined: the name does not resolve. */
  outside(host: string, port: number): Upstream | undefined
  onRequest(observation: RequestObservation): void
}

const NOTHING: ReadonlySet<string> = new Set()

/** The listener in front of a client: what iptables would redirect to its proxy's port 4140. */
export function openOutboundListener(options: OutboundListenerOptions): Listener {
  let count = 0
  return new Listener(
    (incoming, response) => {
      count += 1
      new OutboundPassage(options, incoming, response, count).begin()
    },
    { name: `client ${options.client}`, holds: options.holds }
  )
}

/** One request from a client on its way out. */
class OutboundPassage {
  readonly #options: OutboundListenerOptions
  readonly #incoming: IncomingMessage
  readonly #relay: Relay
  readonly #passage: Passage
  readonly #holdId: string | undefined
  readonly #key: string
  readonly #authority: string
  readonly #target: string
  readonly #startedAt: number
  #exchange: OutboundExchange | undefined
  #body: Buffer | undefined
  #pod: string | undefined
  #image: string | undefined
  #status = 0
  #decided = false

  constructor(options: OutboundListenerOptions, incoming: IncomingMessage, response: ServerResponse, index: number) {
    const { timeline, holds } = options
    this.#options = options
    this.#incoming = incoming
    this.#relay = new Relay(response)
    this.#holdId = headerOf(incoming, HOLD_HEADER)
    this.#key = headerOf(incoming, KEY_HEADER) ?? `${options.client}#${index}`
    const url = incoming.url ?? '/'
    const absolute = /^https?:\/\/([^/?#]+)(.*)$/.exec(url)
    this.#target = absolute === null ? url : absolute[2] === '' ? '/' : (absolute[2] ?? '/')
    this.#authority = headerOf(incoming, TARGET_HEADER) ?? absolute?.[1] ?? incoming.headers.host ?? ''
    this.#startedAt = timeline.now()
    this.#passage = new Passage(response, {
      hold: this.#holdId === undefined ? undefined : holds?.find(Number(this.#holdId)),
      timeline,
      users: options.users,
      onGone: () => {
        this.#exchange?.abandoned(timeline.now())
        this.#observe('aborted')
      }
    })
  }

  begin(): void {
    readBody(this.#incoming, (body) => {
      this.#body = body
      const { timeline, hopDelays, identity, seed, client } = this.#options
      const { hold } = this.#passage
      if (hold === undefined || !hopDelays || identity === undefined) this.#dispatch()
      else {
        const due = timeline.now() + hopDelay(seed, client, this.#key)
        this.#passage.waits(waitUntil(this.#options, hold, due, () => this.#dispatch()))
      }
    })
  }

  /** Asks the model where the request goes. What it decides later (an endpoint that comes, a time-out) wakes the hold. */
  #dispatch(): void {
    const incoming = this.#incoming
    this.#passage.waits(undefined)
    const decide = (run: () => void): void => {
      if (this.#passage.over) return
      this.#decided = true
      this.#passage.hold?.resume()
      run()
    }
    this.#parkUnlessDecided(() => {
      this.#exchange = this.#options.proxy.begin(
        {
          key: this.#key,
          method: incoming.method ?? 'GET',
          target: this.#target,
          authority: this.#authority,
          header: (name) => headerOf(incoming, name),
          bodyBytes: this.#body?.length ?? 0
        },
        {
          forward: (attempt) => decide(() => this.#forward(attempt)),
          respond: (answer) => decide(() => this.#respond(answer)),
          outside: (host, port) => decide(() => this.#plain(this.#options.outside(host, port), 'unresolved')),
          loopback: (port) => decide(() => this.#plain(this.#options.loopback(port), 'refused'))
        }
      )
    })
  }

  /** Gives the hold back when the model has not said yet where the request goes. */
  #parkUnlessDecided(ask: () => void): void {
    this.#decided = false
    ask()
    if (!this.#decided) this.#passage.hold?.suspend()
  }

  #forward(attempt: OutboundAttempt): void {
    const { timeline, identity } = this.#options
    this.#passage.abort()
    const route = this.#options.route(attempt.endpoint)
    attempt.dispatched(timeline.now())
    if (route === undefined) {
      attempt.lost('refused', timeline.now())
      return
    }
    this.#pod = attempt.endpoint.pod
    this.#image = route.image
    const headers = this.#headers(attempt.headers)
    if (route.proxied) {
      headers.push(PORT_HEADER, String(attempt.endpoint.port))
      if (identity !== undefined) headers.push(CLIENT_HEADER, identity)
    }
    this.#passage.sends(route.upstream.send(this.#request(headers), this.#answers(attempt)))
  }

  #answers(attempt: OutboundAttempt): Parameters<Upstream['send']>[1] {
    const { timeline } = this.#options
    let dropped = false
    return {
      head: (status, headers) => {
        const grpcStatus = headers['grpc-status']
        if (!attempt.head(status, typeof grpcStatus === 'string' ? grpcStatus : undefined, timeline.now())) {
          dropped = true
          return
        }
        this.#status = status
        this.#relay.head(status, headers)
      },
      data: (chunk) => {
        if (dropped) return
        attempt.body(timeline.now())
        this.#relay.data(chunk)
      },
      end: (trailers) => {
        if (dropped) {
          this.#passage.sends(undefined)
          this.#parkUnlessDecided(() => attempt.next())
          return
        }
        const grpcStatus = trailers['grpc-status']
        attempt.end(timeline.now(), typeof grpcStatus === 'string' ? grpcStatus : undefined)
        this.#finish('answered')
        this.#relay.end()
      },
      failed: (reason) => {
        if (this.#relay.headed) {
          attempt.broken(timeline.now())
          this.#finish('broken')
          this.#relay.break()
        } else attempt.lost(reason === 'refused' ? 'refused' : 'reset', timeline.now())
      }
    }
  }

  #respond(answer: ProxyAnswer): void {
    this.#passage.abort()
    this.#status = answer.status
    this.#finish(answer.status === 0 ? 'broken' : 'refused')
    // A client without a proxy would not have got an answer but an error of its connection.
    const plain = this.#options.identity === undefined
    this.#relay.answer(
      plain ? { status: answer.status, headers: {}, body: '', close: true } : answer,
      plain ? { [ERROR_HEADER]: 'refused' } : {}
    )
  }

  /** A way around the mesh: the client's own pod, or a host outside the cluster. */
  #plain(upstream: Upstream | undefined, missing: 'unresolved' | 'refused'): void {
    if (upstream === undefined) {
      this.#finish('refused')
      this.#relay.answer({ status: 502, headers: {}, body: '', close: true }, { [ERROR_HEADER]: missing })
      return
    }
    this.#passage.sends(
      upstream.send(this.#request(this.#headers(undefined)), {
        head: (status, headers) => {
          this.#status = status
          this.#relay.head(status, headers)
        },
        data: (chunk) => this.#relay.data(chunk),
        end: () => {
          this.#finish('answered')
          this.#relay.end()
        },
        failed: () => {
          this.#finish('broken')
          if (this.#relay.headed) this.#relay.break()
          else this.#relay.answer({ status: 502, headers: {}, body: '', close: true }, { [ERROR_HEADER]: 'refused' })
        }
      })
    )
  }

  #headers(change: HeaderChange | undefined): string[] {
    const drop = change === undefined ? NOTHING : new Set([...change.remove, ...Object.keys(change.set)])
    const headers = forwardedHeaders(this.#incoming.rawHeaders, drop)
    for (const [name, value] of Object.entries({ ...change?.set, ...change?.add })) headers.push(name, value)
    headers.push(KEY_HEADER, this.#key)
    if (this.#holdId !== undefined) headers.push(HOLD_HEADER, this.#holdId)
    return headers
  }

  #request(headers: string[]): Parameters<Upstream['send']>[0] {
    return { method: this.#incoming.method ?? 'GET', path: this.#target, headers, body: this.#body }
  }

  #finish(outcome: RequestObservation['outcome']): void {
    this.#passage.finish()
    this.#observe(outcome)
  }

  #observe(outcome: RequestObservation['outcome']): void {
    const { timeline, client, onRequest } = this.#options
    onRequest({
      client,
      key: this.#key,
      holdId: this.#holdId === undefined ? undefined : Number(this.#holdId),
      authority: this.#authority,
      method: this.#incoming.method ?? 'GET',
      path: this.#target,
      outcome,
      status: this.#status,
      pod: this.#pod,
      image: this.#image,
      startedAt: this.#startedAt,
      endedAt: timeline.now()
    })
  }
}
