import {
  type Configuration,
  createConfiguration,
  KubeConfig,
  type RequestContext,
  ServerConfiguration,
  Watch
} from '@kubernetes/client-node'
import { TwinError } from '../../lib/errors/index.ts'
import type { ApiRequest, ApiResponse, KubeObject } from '../../kinds/index.ts'

/** Begins the User-Agent of every request, so that the server knows the twin's own controller. */
export const USER_AGENT = 'rollout-twin-controller'

/** Where the API server is: an address with its certificate and a token, or a kubeconfig (text, or the path of a file). */
export type ClusterConnection =
  | { readonly url: string; readonly ca?: string; readonly token?: string }
  | { readonly kubeconfig: string }
  | { readonly kubeconfigFile: string }

/** One event of a watch, as the server sends it. */
export interface WatchEvent {
  readonly type: string
  readonly object: KubeObject & { readonly code?: number }
}

type Dispatcher = ReturnType<RequestContext['getDispatcher']>

/**
 * client-node's configuration, on one keep-alive agent: the library makes an agent for every request, which would cost a TLS
 * handshake each.
 */
class ControllerConfig extends KubeConfig {
  #dispatcher: Dispatcher

  override async applySecurityAuthentication(context: RequestContext): Promise<void> {
    await super.applySecurityAuthentication(context)
    this.#dispatcher ??= context.getDispatcher()
    if (this.#dispatcher !== undefined) context.setDispatcher(this.#dispatcher)
    context.setHeaderParam('User-Agent', USER_AGENT)
  }

  async close(): Promise<void> {
    await this.#dispatcher?.destroy()
  }
}

/** Requests and watches of the controller, made by `@kubernetes/client-node`. */
export class KubeConnection {
  readonly #config: ControllerConfig
  readonly #client: Configuration

  private constructor(config: ControllerConfig) {
    const cluster = config.getCurrentCluster()
    if (cluster === null) throw new TwinError('TWIN_WORLD_START', 'the kubeconfig has no current cluster')
    this.#config = config
    this.#client = createConfiguration({
      baseServer: new ServerConfiguration(cluster.server, {}),
      authMethods: { default: config }
    })
  }

  /** Reads the kubeconfig, if there is one; nothing is connected yet. @throws TwinError TWIN_WORLD_START */
  static open(connection: ClusterConnection): KubeConnection {
    const config = new ControllerConfig()
    if ('kubeconfig' in connection) config.loadFromString(connection.kubeconfig)
    else if ('kubeconfigFile' in connection) config.loadFromFile(connection.kubeconfigFile)
    else loadAddress(config, connection)
    return new KubeConnection(config)
  }

  /** Performs a request; a server that cannot be reached answers with code 0 and the error as message. */
  async send(request: ApiRequest): Promise<ApiResponse> {
    const query = new URLSearchParams(request.query).toString()
    const path = `${request.path}${query === '' ? '' : `?${query}`}`
    const context = this.#client.baseServer.makeRequestContext(path, request.method)
    context.setHeaderParam('Accept', 'application/json')
    for (const [name, value] of Object.entries(request.headers ?? {})) context.setHeaderParam(name, value)
    if (request.body !== undefined) {
      if (request.headers?.['content-type'] === undefined) context.setHeaderParam('content-type', 'application/json')
      context.setBody(JSON.stringify(request.body))
    }
    try {
      await this.#config.applySecurityAuthentication(context)
      const response = await this.#client.httpApi.send(context).toPromise()
      return { code: response.httpStatusCode, body: parsed(await response.body.text()) }
    } catch (error) {
      const verb = `${request.method.slice(0, 1)}${request.method.slice(1).toLowerCase()}`
      return { code: 0, body: { message: `${verb} "${context.getUrl()}": ${reasonOf(error)}` } }
    }
  }

  /**
   * Watches a collection until the server ends the stream, it breaks or `signal` is aborted.
   * @param onEvent - called for each event in order; what it throws ends the watch and is thrown
   * @returns how it ended: `ended`, or the status code of a refusal
   */
  async watch(
    path: string,
    query: Readonly<Record<string, string>>,
    options: { readonly signal: AbortSignal; readonly onEvent: (event: WatchEvent) => void }
  ): Promise<'ended' | number> {
    const { promise, resolve, reject } = Promise.withResolvers<'ended' | number>()
    const watch = new Watch(this.#config)
    const stream = await watch.watch(
      path,
      { ...query },
      (type: string, object: WatchEvent['object']) => {
        // The library takes whatever a callback throws for a parse error and drops it.
        try {
          options.onEvent({ type, object })
        } catch (error) {
          reject(error)
        }
      },
      (error: { statusCode?: number } | null | undefined) => resolve(error?.statusCode ?? 'ended')
    )
    const abort = (): void => stream.abort()
    options.signal.addEventListener('abort', abort)
    if (options.signal.aborted) abort()
    try {
      return await promise
    } finally {
      options.signal.removeEventListener('abort', abort)
      stream.abort()
    }
  }

  /** Closes every connection. */
  async close(): Promise<void> {
    await this.#config.close()
  }
}

function loadAddress(config: KubeConfig, { url, ca, token }: Extract<ClusterConnection, { url: string }>): void {
  const name = 'twin'
  config.loadFromClusterAndUser(
    {
      name,
      server: url,
      skipTLSVerify: false,
      ...(ca === undefined ? {} : { caData: Buffer.from(ca).toString('base64') })
    },
    { name, ...(token === undefined ? {} : { token }) }
  )
}

/** undici's fetch hides what happened in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // A proxy in between may answer with text.
    return text
  }
}
