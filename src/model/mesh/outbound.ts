import type { Instant } from '../../lib/time/index.ts'
import type { ServicePort } from './cluster-view.ts'
import { Exchange, type OutboundExchange, type OutboundRequest, type OutboundSink } from './exchange.ts'
import { outboundTcpSource } from './labels.ts'
import { resolveAuthority } from './names.ts'
import { OutboundStack, STACK_IDLE_MS, type StackContext } from './outbound-stack.ts'

/**
 * The client side of the mesh: resolves the authority, picks route, backend and endpoint, counts what it sends.
 * @see linkerd2-proxy v2.366.0 linkerd/app/outbound
 */
export class OutboundProxy {
  readonly #context: StackContext
  readonly #stacks = new Map<string, OutboundStack>()
  #sweeping = false

  constructor(context: StackContext) {
    this.#context = context
  }

  /** Takes a request on; the sink hears what is to be done, now or later. */
  begin(request: OutboundRequest, sink: OutboundSink): OutboundExchange {
    const { view, clientNamespace, timeline } = this.#context
    const authority = resolveAuthority(request.authority, clientNamespace, (namespace, name) =>
      view.hasService(namespace, name)
    )
    if (authority.kind === 'outside') sink.outside(authority.host, authority.port)
    else if (authority.kind === 'loopback') sink.loopback(authority.port)
    else if (authority.kind === 'service') return this.#service(authority, request, sink)
    else {
      const service = view.serviceByIp(authority.ip)
      if (service !== undefined) return this.#service({ ...service, port: authority.port }, request, sink)
      return new Exchange({ context: this.#context, request, sink, stack: undefined }).direct(
        view.podByIp(authority.ip, authority.port) ?? {
          ip: authority.ip,
          port: authority.port,
          pod: undefined,
          identity: undefined,
          labels: {}
        },
        timeline.now()
      )
    }
    return { abandoned: () => {} }
  }

  /** The control plane has pushed a change, or an endpoint's proxy went away or came back. */
  refresh(): void {
    const now = this.#context.timeline.now()
    for (const stack of this.#stacks.values()) stack.reconsider(now)
  }

  /** A connection of the application opened (1) or closed (-1). */
  connection(authority: string, change: 1 | -1): void {
    const { view, clientNamespace, metrics } = this.#context
    const found = resolveAuthority(authority, clientNamespace, (namespace, name) => view.hasService(namespace, name))
    const ip =
      found.kind === 'service'
        ? view.clusterIp(found.namespace, found.name)
        : found.kind === 'address'
          ? found.ip
          : undefined
    if (ip === undefined) return
    const labels = outboundTcpSource(ip, found.port)
    metrics.add('tcp_open_total', labels, change === 1 ? 1 : 0)
    metrics.add('tcp_open_connections', labels, change)
    metrics.add('tcp_read_bytes_total', labels, 0)
    metrics.add('tcp_write_bytes_total', labels, 0)
    if (change === -1) metrics.add('tcp_close_total', [...labels, ['errno', '']])
  }

  #service(service: ServicePort, request: OutboundRequest, sink: OutboundSink): OutboundExchange {
    const stack = this.#stack({ namespace: service.namespace, name: service.name, port: service.port })
    this.#armSweep()
    return new Exchange({ context: this.#context, request, sink, stack }).start()
  }

  /** Stacks that were idle for too long are dropped, a while after the last request. */
  #armSweep(): void {
    if (this.#sweeping) return
    this.#sweeping = true
    const { timeline } = this.#context
    timeline.at(timeline.now() + (this.#context.stackIdleMs ?? STACK_IDLE_MS), () => {
      this.#sweeping = false
      this.#sweep(timeline.now())
      if (this.#stacks.size > 0) this.#armSweep()
    })
  }

  #sweep(now: Instant): void {
    for (const [key, stack] of this.#stacks) {
      if (stack.inFlight > 0 || now - stack.lastUsed < (this.#context.stackIdleMs ?? STACK_IDLE_MS)) continue
      stack.close()
      this.#stacks.delete(key)
    }
  }

  #stack(service: ServicePort): OutboundStack {
    const now = this.#context.timeline.now()
    const key = `${service.namespace}/${service.name}:${service.port}`
    this.#sweep(now)
    let stack = this.#stacks.get(key)
    if (stack === undefined) {
      stack = new OutboundStack(service, this.#context)
      this.#stacks.set(key, stack)
    }
    stack.lastUsed = now
    stack.refresh(now)
    return stack
  }
}
