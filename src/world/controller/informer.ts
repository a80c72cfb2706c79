import type { KubeObject } from '../../kinds/index.ts'
import type { KubeConnection, WatchEvent } from './kube-connection.ts'

/** Wall milliseconds before a broken watch is opened again. */
const RECONNECT_MS = 200

/** What an informer tells. */
export interface InformerHandlers {
  changed(object: KubeObject): void
  deleted(object: KubeObject): void
  /** A version was handled, with whatever it set going: time may move on. */
  seen(resourceVersion: string): void
}

/** Keeps a copy of one resource: a list, then a watch; after a lost or expired watch a list again. */
export class Informer {
  readonly #connection: KubeConnection
  readonly #path: string
  readonly #handlers: InformerHandlers
  readonly #objects = new Map<string, KubeObject>()
  readonly #abort = new AbortController()
  #watching: Promise<void> = Promise.resolve()

  /** @param path - path of the collection */
  constructor(connection: KubeConnection, path: string, handlers: InformerHandlers) {
    this.#connection = connection
    this.#path = path
    this.#handlers = handlers
  }

  /** The object as last told. */
  get(namespace: string, name: string): KubeObject | undefined {
    return this.#objects.get(`${namespace}/${name}`)
  }

  /** Every object as last told. */
  all(): readonly KubeObject[] {
    return [...this.#objects.values()]
  }

  /**
   * Lists, then goes on watching in the background.
   * @returns the error text when the resource cannot be listed
   */
  async start(): Promise<string | undefined> {
    const listed = await this.#list()
    if ('error' in listed) return listed.error
    this.#watching = this.#watch(listed.resourceVersion)
    return undefined
  }

  /** Ends the watch. */
  async stop(): Promise<void> {
    this.#abort.abort()
    await this.#watching
  }

  async #list(): Promise<{ readonly resourceVersion: string } | { readonly error: string }> {
    const response = await this.#connection.send({ method: 'GET', path: this.#path })
    if (response.code !== 200) {
      return { error: (response.body as { message?: string } | undefined)?.message ?? `status ${response.code}` }
    }
    const list = response.body as { items?: KubeObject[]; metadata: { resourceVersion: string } }
    const gone = new Map(this.#objects)
    for (const object of list.items ?? []) {
      gone.delete(keyOf(object))
      this.#apply('MODIFIED', object)
    }
    for (const object of gone.values()) this.#apply('DELETED', object)
    return list.metadata
  }

  async #watch(from: string): Promise<void> {
    let version: string | undefined = from
    while (!this.#abort.signal.aborted) {
      try {
        if (version === undefined) {
          const listed = await this.#list()
          version = 'error' in listed ? undefined : listed.resourceVersion
        }
        if (version !== undefined) version = await this.#follow(version)
      } catch (error) {
        // A broken connection is an everyday event; anything else would be a mistake in the handlers.
        if (!this.#abort.signal.aborted && !isConnectionError(error)) throw error
      }
      if (!this.#abort.signal.aborted) await pause(RECONNECT_MS, this.#abort.signal)
    }
  }

  /** Reads one stream to its end; gives the version to go on from, or undefined when a list is needed. */
  async #follow(from: string): Promise<string | undefined> {
    const query = { allowWatchBookmarks: 'true', resourceVersion: from }
    let version: string | undefined = from
    const onEvent = ({ type, object }: WatchEvent): void => {
      if (type === 'ERROR') version = undefined
      if (version === undefined) return
      version = object.metadata.resourceVersion ?? version
      if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') this.#apply(type, object)
      this.#handlers.seen(version)
    }
    const ended = await this.#connection.watch(this.#path, query, { signal: this.#abort.signal, onEvent })
    return ended === 'ended' ? version : undefined
  }

  #apply(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): void {
    if (type === 'DELETED') {
      this.#objects.delete(keyOf(object))
      this.#handlers.deleted(object)
      return
    }
    const known = this.#objects.get(keyOf(object))
    this.#objects.set(keyOf(object), object)
    if (known?.metadata.resourceVersion !== object.metadata.resourceVersion) this.#handlers.changed(object)
  }
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`
}

function isConnectionError(error: unknown): boolean {
  const { code, name } = (error ?? {}) as { code?: string; name?: string }
  return name === 'AbortError' || code !== undefined
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
