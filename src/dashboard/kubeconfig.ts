import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { type ClusterFlags, LinkerdError } from '../model/viz/index.ts'

/** Where an API server is and how it is spoken to. */
export interface KubeAccess {
  readonly server: string
  /** Namespace of the context. */
  readonly namespace: string
  /** PEM of the authority that signed the server's certificate; absent: those the machine trusts. */
  readonly ca?: string
  readonly insecure: boolean
  readonly token?: string
  /** PEM of a client certificate and its key. */
  readonly certificate?: { readonly cert: string; readonly key: string }
}

interface Named {
  readonly name: string
  /** Folder of the file it was read from. */
  readonly folder: string
  readonly cluster?: Entry
  readonly user?: Entry
  readonly context?: Entry
}

type Entry = Readonly<Record<string, unknown>>

interface Merged {
  readonly current: string | undefined
  readonly clusters: readonly Named[]
  readonly users: readonly Named[]
  readonly contexts: readonly Named[]
}

/**
 * Reads the kubeconfig that kubectl would read: `--kubeconfig`, the files of `$KUBECONFIG` (what an earlier one says
 * counts), `~/.kube/config`. Tokens and client certificates are understood, plug-ins that fetch them are not.
 * @throws LinkerdError
 */
export async function readKubeAccess(
  flags: ClusterFlags,
  env: Readonly<Record<string, string | undefined>>
): Promise<KubeAccess> {
  const { files, missing } = kubeconfigFiles(flags, env)
  if (files.length === 0) {
    throw new LinkerdError(`no kubeconfig at ${missing.join(', ')}: set KUBECONFIG as \`twin up\` prints it`)
  }
  const merged = await readFiles(files)
  const name = flags.context ?? merged.current
  if (name === undefined) throw new LinkerdError(`${files.join(', ')}: no current-context; give --context`)
  const context = part(merged.contexts, name, 'context')
  const cluster = part(merged.clusters, text(context.entry, 'cluster') ?? '', 'cluster')
  const userName = text(context.entry, 'user')
  const user = userName === undefined ? { entry: {}, folder: '' } : part(merged.users, userName, 'user')
  const server = text(cluster.entry, 'server')
  if (server === undefined) throw new LinkerdError(`the cluster of context ${name} names no server`)
  if (user.entry['exec'] !== undefined) {
    throw new LinkerdError(`the user of context ${name} fetches its credentials with a plug-in; that is not understood`)
  }
  const ca = pem(cluster, 'certificate-authority')
  const cert = pem(user, 'client-certificate')
  const key = pem(user, 'client-key')
  const token = text(user.entry, 'token')
  return {
    server,
    namespace: text(context.entry, 'namespace') ?? 'default',
    insecure: cluster.entry['insecure-skip-tls-verify'] === true,
    ...(ca === undefined ? {} : { ca }),
    ...(token === undefined ? {} : { token }),
    ...(cert === undefined || key === undefined ? {} : { certificate: { cert, key } })
  }
}

function kubeconfigFiles(
  flags: ClusterFlags,
  env: Readonly<Record<string, string | undefined>>
): { readonly files: readonly string[]; readonly missing: readonly string[] } {
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '')
  const wanted =
    flags.kubeconfig !== undefined
      ? [flags.kubeconfig]
      : listed.length > 0
        ? listed
        : [join(env['HOME'] ?? homedir(), '.kube', 'config')]
  const files = wanted.filter((file) => existsSync(file))
  return { files, missing: wanted.filter((file) => !files.includes(file)) }
}

async function readFiles(files: readonly string[]): Promise<Merged> {
  const contents: { folder: string; entry: Entry }[] = []
  for (const file of files) contents.push({ folder: dirname(resolve(file)), entry: await readOne(file) })
  const all = (key: string): readonly Named[] =>
    contents.flatMap(({ folder, entry }) => {
      const list = (entry[key] ?? []) as readonly Named[]
      return list.map((named) => ({ ...named, folder }))
    })
  const current = contents.map(({ entry }) => text(entry, 'current-context')).find((name) => name !== undefined)
  return { current, clusters: all('clusters'), users: all('users'), contexts: all('contexts') }
}

/** The twin's own kubeconfig is JSON; the YAML reader is loaded only for others. */
async function readOne(file: string): Promise<Entry> {
  const content = readFileSync(file, 'utf8')
  try {
    return (content.startsWith('{') ? JSON.parse(content) : (await import('yaml')).parse(content)) as Entry
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause)
    throw new LinkerdError(`${file} is no kubeconfig: ${said}`)
  }
}

interface Part {
  readonly entry: Entry
  readonly folder: string
}

function part(list: readonly Named[], name: string, kind: 'cluster' | 'user' | 'context'): Part {
  const found = list.find((named) => named.name === name)
  if (found === undefined) throw new LinkerdError(`the kubeconfig has no ${kind} "${name}"`)
  return { entry: found[kind] ?? {}, folder: found.folder }
}

/** What stands in `<key>-data` (base64) or in the file that `<key>` names. */
function pem({ entry, folder }: Part, key: string): string | undefined {
  const data = text(entry, `${key}-data`)
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8')
  const file = text(entry, key)
  if (file === undefined) return undefined
  const path = resolve(folder, file)
  if (!existsSync(path)) throw new LinkerdError(`the kubeconfig names ${path}, which is not there`)
  return readFileSync(path, 'utf8')
}

function text(entry: Entry, key: string): string | undefined {
  const value = entry[key]
  return typeof value === 'string' && value !== '' ? value : undefined
}
