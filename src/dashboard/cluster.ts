import type { Agent } from 'node:http'
import { type ClusterFlags, LinkerdError, type VizAnswer, type VizAsk, type VizPlan } from '../model/viz/index.ts'
import { type KubeAccess, readKubeAccess } from './kubeconfig.ts'

// An import of node:http by name loads the whole of undici behind it: a third of a process that `watch` starts every 2 s.
const { Agent: HttpAgent, request: httpRequest } = process.getBuiltinModule('node:http')
const { Agent: HttpsAgent, request: httpsRequest } = process.getBuiltinModule('node:https')

/** Wall milliseconds for one answer. */
const ANSWER_WALL_MS_MAX = 10_000
/** Most bytes of one answer. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024
/** Connections kept to each side: more cost more than they bring over loopback. */
const SOCKETS_MAX = 2

/** Namespace of Linkerd's viz extension and its annotation that says where Prometheus is. @see linkerd2 viz/pkg/labels */
const VIZ_NAMESPACE_PATH = '/api/v1/namespaces/linkerd-viz'
const PROMETHEUS_ANNOTATION = 'viz.linkerd.io/external-prometheus'

/** A running twin as seen from a terminal: its Kubernetes API, and through that its Prometheus. */
export interface ClusterConnection {
  /** Namespace of the kubeconfig's context. */
  readonly namespace: string
  /** Runs a plan to its end. @throws LinkerdError */
  run<T>(plan: VizPlan<T>): Promise<T>
  /** Asks both sides for something small. @throws LinkerdError when one of them does not answer */
  check(): Promise<void>
  close(): void
}

/** Reads the kubeconfig; nothing is asked yet. @throws LinkerdError */
export async function connectCluster(
  flags: ClusterFlags,
  env: Readonly<Record<string, string | undefined>>
): Promise<ClusterConnection> {
  const api = new ApiSide(await readKubeAccess(flags, env))
  const prometheus = new PrometheusSide(api)
  const answer = (ask: VizAsk): Promise<VizAnswer> =>
    ask.ask === 'api' ? api.get(ask.path, ask.query) : prometheus.query(ask.expression)
  return {
    namespace: api.access.namespace,
    async run<T>(plan: VizPlan<T>): Promise<T> {
      let turn = plan.next([])
      while (turn.done !== true) turn = plan.next(await Promise.all(turn.value.map((ask) => answer(ask))))
      return turn.value
    },
    async check(): Promise<void> {
      const answered = await prometheus.query('1')
      if (!answered.ok) throw new LinkerdError(answered.message)
    },
    close(): void {
      api.close()
      prometheus.close()
    }
  }
}

interface Sending {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly agent: Agent
}

/** The Kubernetes API. */
class ApiSide {
  readonly access: KubeAccess
  readonly #agent: Agent

  constructor(access: KubeAccess) {
    this.access = access
    const { ca, insecure, certificate } = access
    const shared = { keepAlive: true, maxSockets: SOCKETS_MAX }
    this.#agent = access.server.startsWith('https:')
      ? new HttpsAgent({
          ...shared,
          rejectUnauthorized: !insecure,
          ...(ca === undefined ? {} : { ca }),
          ...certificate
        })
      : new HttpAgent(shared)
  }

  /** @throws LinkerdError when nobody answers */
  async get(path: string, query: Readonly<Record<string, string>> = {}): Promise<VizAnswer> {
    const { server, token } = this.access
    const url = new URL(server.replace(/\/$/, '') + path)
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const headers = { accept: 'application/json', 'user-agent': 'rollout-twin-linkerd', ...authorization }
    const where = `the Kubernetes API at ${server}`
    const { code, text } = await send({ url, headers, agent: this.#agent }, `${where}; is \`twin up\` running?`)
    const body = parse(text, where)
    if (code < 400) return { ok: true, body }
    return { ok: false, code, message: messageOf(body) ?? `${where} answered ${code}` }
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** The Prometheus the API tells of. */
class PrometheusSide {
  readonly #api: ApiSide
  readonly #agent: Agent = new HttpAgent({ keepAlive: true, maxSockets: SOCKETS_MAX })
  #url: Promise<string> | undefined

  constructor(api: ApiSide) {
    this.#api = api
  }

  /** @throws LinkerdError when nobody answers */
  async query(expression: string): Promise<VizAnswer> {
    const base = await this.#base()
    const url = new URL(`${base.replace(/\/$/, '')}/api/v1/query?query=${encodeURIComponent(expression)}`)
    const where = `Prometheus at ${base}`
    const { code, text } = await send({ url, headers: { accept: 'application/json' }, agent: this.#agent }, where)
    const body = parse(text, where) as PromBody
    if (code >= 400 || body.status !== 'success') {
      return { ok: false, code, message: `Query failed: ${JSON.stringify(expression)}: ${body.error ?? String(code)}` }
    }
    const result = body.data?.resultType === 'vector' ? (body.data.result as readonly PromSeries[]) : []
    return { ok: true, samples: result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) })) }
  }

  /** Found once; a failure is not kept. */
  async #base(): Promise<string> {
    this.#url ??= this.#find()
    try {
      return await this.#url
    } catch (error) {
      this.#url = undefined
      throw error
    }
  }

  async #find(): Promise<string> {
    const answer = await this.#api.get(VIZ_NAMESPACE_PATH)
    if (!answer.ok && answer.code !== 404) throw new LinkerdError(answer.message, answer.code)
    const body = answer.ok && 'body' in answer ? (answer.body as AnnotatedObject) : undefined
    const url = body?.metadata?.annotations?.[PROMETHEUS_ANNOTATION]
    if (url !== undefined && URL.canParse(url) && url.startsWith('http:')) return url
    throw new LinkerdError(
      `${this.#api.access.server} does not say where its Prometheus is (annotation ${PROMETHEUS_ANNOTATION} of ` +
        'namespace linkerd-viz): no twin, or one that is still starting'
    )
  }

  close(): void {
    this.#agent.destroy()
  }
}

interface AnnotatedObject {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> }
}

interface PromSeries {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [number, string]
}

interface PromBody {
  readonly status?: string
  readonly error?: string
  readonly data?: { readonly resultType: string; readonly result: unknown }
}

interface Received {
  readonly code: number
  readonly text: string
}

function send({ url, headers, agent }: Sending, where: string): Promise<Received> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => reject(new LinkerdError(`cannot reach ${where} (${reason})`))
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, { agent, headers }, (response) => {
      const chunks: Buffer[] = []
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > ANSWER_BYTES_MAX) request.destroy(new Error(`more than ${ANSWER_BYTES_MAX} bytes`))
        else chunks.push(chunk)
      })
      response.on('error', (error) => fail(error.message))
      response.on('end', () =>
        resolve({ code: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') })
      )
    })
    request.setTimeout(ANSWER_WALL_MS_MAX, () => request.destroy(new Error(`no answer in ${ANSWER_WALL_MS_MAX} ms`)))
    request.on('error', (error: NodeJS.ErrnoException) => {
      // The other side may close a kept connection just as it is used again.
      if (request.reusedSocket && error.code === 'ECONNRESET') resolve(send({ url, headers, agent }, where))
      else fail(error.code ?? error.message)
    })
    request.end()
  })
}

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw new LinkerdError(`${where} answered no JSON: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

function messageOf(body: unknown): string | undefined {
  const { message } = (body ?? {}) as { readonly message?: string }
  return message
}
