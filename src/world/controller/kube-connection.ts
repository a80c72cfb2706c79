import type { Readable } from 'node:stream'
import type { RequestOptions } from 'node:https'
import { Agent } from 'undici'
import { TwinError } from '../../lib/errors/index.ts'
import type { ApiRequest, ApiResponse } from '../../kinds/index.ts'

/** Begins the User-Agent of every request, so that the server knows the twin's own controller. */
export const USER_AGENT = 'rollout-twin-controller'

/** Where the API server is: an address with its certificate and a token, or a kubeconfig (text, or the path of a file). */
export type ClusterConnection =
  | { readonly url: string; readonly ca?: string; readonly token?: string }
  | { readonly kubeconfig: string }
  | { readonly kubeconfigFile: string }

interface Endpoint {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly tls: {
    readonly ca?: string
    readonly cert?: string
    readonly key?: string
    readonly rejectUnauthorized?: boolean
  }
}

/** Raw requests to an API server over one keep-alive agent. */
export class KubeConnection {
  readonly #endpoint: Endpoint
  readonly #agent: Agent

  private constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint
    this.#agent = new Agent({ connect: endpoint.tls, keepAliveTimeout: 60_000, headersTimeout: 60_000, bodyTimeout: 0 })
  }

  /** Reads the kubeconfig, if there is one; nothing is connected yet. @throws TwinError TWIN_WORLD_START */
  static async open(connection: ClusterConnection): Promise<KubeConnection> {
    return new KubeConnection('url' in connection ? direct(connection) : await fromKubeconfig(connection))
  }

  /** Performs a request; a server that cannot be reached answers with code 0 and the error as message. */
  async send(request: ApiRequest): Promise<ApiResponse> {
    try {
      const { statusCode, body } = await this.#dispatch(request)
      return { code: statusCode, body: parsed(await body.text()) }
    } catch (error) {
      const verb = `${request.method.slice(0, 1)}${request.method.slice(1).toLowerCase()}`
      const text = error instanceof Error ? error.message : String(error)
      return { code: 0, body: { message: `${verb} "${this.#endpoint.url}${request.path}": ${text}` } }
    }
  }

  /**
   * Opens a stream of watch events.
   * @param signal - ends the stream
   */
  async stream(request: ApiRequest, signal: AbortSignal): Promise<{ readonly code: number; readonly body: Readable }> {
    const { statusCode, body } = await this.#dispatch(request, signal)
    return { code: statusCode, body }
  }

  /** Closes every connection. */
  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #dispatch(request: ApiRequest, signal?: AbortSignal): ReturnType<Agent['request']> {
    const query = new URLSearchParams(request.query).toString()
    return await this.#agent.request({
      origin: new URL(this.#endpoint.url).origin,
      path: `${request.path}${query === '' ? '' : `?${query}`}`,
      method: request.method,
      headers: {
        accept: 'application/json',
        'user-agent': USER_AGENT,
        ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...this.#endpoint.headers,
        ...request.headers
      },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      ...(signal === undefined ? {} : { signal })
    })
  }
}

function direct({ url, ca, token }: Extract<ClusterConnection, { url: string }>): Endpoint {
  return {
    url,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    tls: ca === undefined ? {} : { ca }
  }
}

/** client-node reads the kubeconfig: contexts, certificates, tokens, exec plug-ins. */
async function fromKubeconfig(connection: Exclude<ClusterConnection, { url: string }>): Promise<Endpoint> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  if ('kubeconfig' in connection) config.loadFromString(connection.kubeconfig)
  else config.loadFromFile(connection.kubeconfigFile)
  const cluster = config.getCurrentCluster()
  if (cluster === null) throw new TwinError('TWIN_WORLD_START', 'the kubeconfig has no current cluster')
  const options: RequestOptions = {}
  await config.applyToHTTPSOptions(options)
  const headers = Object.entries((options.headers ?? {}) as Record<string, unknown>)
  return {
    url: cluster.server,
    headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), String(value)])),
    tls: {
      ...(options.ca === undefined ? {} : { ca: String(options.ca) }),
      ...(options.cert === undefined ? {} : { cert: String(options.cert) }),
      ...(options.key === undefined ? {} : { key: String(options.key) }),
      ...(options.rejectUnauthorized === false ? { rejectUnauthorized: false } : {})
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // A proxy in between may answer with text.
    return { message: text }
  }
}
