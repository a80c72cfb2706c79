import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { normaliseJson, normaliseOutput, normaliseText, ownText, type NormalContext } from './normalisation.ts'
import { BackgroundCommand, pause, runCommand, type ProcessPlace } from './process.ts'
import type { Step, Transcript } from './transcript.ts'
import { startTwin, type Twin } from './twin.ts'

const PATIENCE_MS = 20_000
const START_MS = 700

/** How transcripts are replayed. */
export interface ReplayOptions {
  /** Folder of the definitions. */
  readonly crds: string
  /** Folder with the client, put first on the PATH. */
  readonly kubectl: string
  /** How long `eventually` may take, milliseconds; `until` twice as long. Default 20 s. */
  readonly patienceMs?: number
}

interface SessionOptions extends ReplayOptions {
  readonly folder: string
}

/** A transcript while it is replayed against a twin of its own. */
export class Session {
  readonly #transcript: Transcript
  readonly #twin: Twin
  readonly #place: ProcessPlace
  readonly #context: NormalContext
  readonly #patienceMs: number
  readonly #captured = new Map<string, string>()
  readonly #background = new Map<string, BackgroundCommand>()

  private constructor(transcript: Transcript, twin: Twin, options: SessionOptions) {
    this.#transcript = transcript
    this.#twin = twin
    this.#patienceMs = options.patienceMs ?? PATIENCE_MS
    this.#place = { folder: options.folder, env: environment(options) }
    this.#context = {
      folder: options.folder,
      serverUrl: twin.url,
      nodes: twin.api.list('', 'nodes').map((node) => node.metadata.name),
      ownText: ownText(transcript),
      captured: this.#captured
    }
  }

  /** Replays a transcript; the first difference, or undefined. */
  static async replay(transcript: Transcript, options: ReplayOptions): Promise<string | undefined> {
    const root = mkdtempSync(join(tmpdir(), 'twin-kubectl-'))
    const twin = await startTwin(1)
    const folder = join(root, 'work')
    mkdirSync(folder)
    const session = new Session(transcript, twin, { ...options, folder })
    try {
      await session.#prepare(join(root, 'kubeconfig'))
      return await session.#steps()
    } finally {
      for (const command of session.#background.values()) command.kill()
      await twin.close()
      rmSync(root, { recursive: true, force: true })
    }
  }

  async #prepare(kubeconfig: string): Promise<void> {
    writeFileSync(kubeconfig, this.#twin.kubeconfig)
    for (const [name, text] of Object.entries(this.#transcript.files ?? {})) {
      const path = join(this.#place.folder, name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text)
    }
    const { namespace, crds = [] } = this.#transcript
    if (namespace !== undefined) {
      this.#createNamespace(namespace)
      await this.#waitFor(namespace)
      await this.#run(`kubectl config set-context --current --namespace=${namespace}`)
    }
    for (const crd of crds) await this.#run(`kubectl apply --server-side --field-manager=setup -f "$CRDS/${crd}"`)
  }

  #createNamespace(name: string): void {
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
    this.#twin.api.handle({
      method: 'POST',
      path: '/api/v1/namespaces',
      headers: { 'user-agent': 'kubectl-create' },
      body
    })
  }

  async #waitFor(namespace: string): Promise<void> {
    const deadline = performance.now() + this.#patienceMs
    const isReady = (): boolean =>
      this.#twin.api.get('', 'serviceaccounts', namespace, 'default') !== undefined &&
      this.#twin.api.get('', 'configmaps', namespace, 'kube-root-ca.crt') !== undefined
    while (!isReady() && performance.now() < deadline) await pause(20)
  }

  async #run(command: string): Promise<{ exit: number; stdout: string; stderr: string }> {
    return runCommand(this.#filled(command), this.#place)
  }

  #filled(text: string): string {
    return text.replaceAll(/\$\{(\w+)\}/g, (all: string, name: string) => this.#captured.get(name) ?? all)
  }

  async #steps(): Promise<string | undefined> {
    for (const [index, step] of this.#transcript.steps.entries()) {
      const difference = await this.#step(step)
      if (difference !== undefined) return `step ${index}: ${titleOf(step)}\n${difference}`
    }
    return undefined
  }

  async #step(step: Step): Promise<string | undefined> {
    if (step.until !== undefined) return this.#until(step.until, step.is ?? '')
    if (step.capture !== undefined) {
      this.#captured.set(step.as ?? '', (await this.#run(step.capture)).stdout.trim())
      return undefined
    }
    if (step.start !== undefined) {
      this.#background.set(step.name ?? '', new BackgroundCommand(this.#filled(step.start), this.#place))
      await pause(START_MS)
      return undefined
    }
    if (step.stop !== undefined) return this.#stop(step)
    return step.eventually === true ? this.#eventually(step) : this.#compared(step)
  }

  async #eventually(step: Step): Promise<string | undefined> {
    const deadline = performance.now() + this.#patienceMs
    for (;;) {
      const difference = await this.#compared(step)
      if (difference === undefined || performance.now() > deadline) return difference
      await pause(200)
    }
  }

  async #compared(step: Step): Promise<string | undefined> {
    if (step.http !== undefined) return this.#http(step)
    if (step.stored !== undefined) return this.#stored(step)
    const output = await this.#run(step.run ?? 'true')
    if (step.exit !== undefined && output.exit !== step.exit) {
      return `exit ${output.exit} instead of ${step.exit}\nstdout: ${output.stdout}\nstderr: ${output.stderr}`
    }
    if (step.compare === 'exit') return undefined
    const stdout =
      step.stdout === undefined
        ? undefined
        : difference('stdout', normaliseOutput(this.#context, output.stdout, step), step.stdout)
    if (stdout !== undefined) return `${stdout}${output.stderr === '' ? '' : `\n(stderr: ${output.stderr.trim()})`}`
    return step.stderr === undefined
      ? undefined
      : difference('stderr', normaliseOutput(this.#context, output.stderr, step, true), step.stderr)
  }

  async #until(command: string, wanted: string): Promise<string | undefined> {
    const deadline = performance.now() + 2 * this.#patienceMs
    for (;;) {
      const output = await this.#run(command)
      if (output.stdout.trim() === this.#filled(wanted)) return undefined
      if (performance.now() > deadline) return `never ${wanted}: ${output.stdout.trim()} ${output.stderr.trim()}`
      await pause(100)
    }
  }

  async #stop(step: Step): Promise<string | undefined> {
    const command = this.#background.get(step.stop ?? '')
    if (command === undefined) return `nothing named ${step.stop ?? ''} is running`
    const stdout = await command.stop(step.after ?? 0)
    return difference('stdout', normaliseOutput(this.#context, stdout, step), step.stdout ?? '')
  }

  async #stored(step: Step): Promise<string | undefined> {
    const output = await this.#run(`kubectl get ${step.stored ?? ''} -o json --show-managed-fields`)
    if (output.exit !== 0) return output.stderr
    return jsonDifference('object', normaliseJson(this.#context, JSON.parse(output.stdout)), step.object)
  }

  async #http(step: Step): Promise<string | undefined> {
    const answer = await this.#send(step)
    if (answer.status !== step.status)
      return `status ${answer.status} instead of ${step.status}: ${answer.text.slice(0, 600)}`
    if (step.compare === 'status') {
      this.#take(step, answer.text)
      return undefined
    }
    const headers = headerDifference(step, answer.headers, (text) => normaliseText(this.#context, text))
    if (headers !== undefined) return headers
    const found = this.#answerDifference(step, answer.text)
    // What is taken is a name from the next step on.
    this.#take(step, answer.text)
    return found
  }

  #answerDifference(step: Step, text: string): string | undefined {
    if (step.responseText !== undefined)
      return difference('text', normaliseText(this.#context, text), step.responseText)
    if (step.response === undefined) return undefined
    const parsed = parseAnswer(step, text)
    const picked =
      step.pick === undefined
        ? parsed
        : Object.fromEntries(step.pick.map((path) => [path, pick(parsed, path.split('.'))]))
    return jsonDifference('response', normaliseJson(this.#context, picked), step.response)
  }

  #take(step: Step, text: string): void {
    for (const [name, path] of Object.entries(step.take ?? {})) {
      this.#captured.set(name, String(pick(JSON.parse(text), path.split('.')) ?? ''))
    }
  }

  #send(step: Step): Promise<HttpAnswer> {
    const [method = 'GET', path = '/'] = this.#filled(step.http ?? '').split(/\s+(.*)/s)
    const headers: Record<string, string> = { authorization: `Bearer ${this.#twin.token}` }
    if (step.body !== undefined) {
      headers['content-type'] = 'application/json'
      headers['content-length'] = String(Buffer.byteLength(this.#filled(step.body)))
    }
    for (const [name, value] of Object.entries(step.headers ?? {})) headers[name.toLowerCase()] = this.#filled(value)
    return send({
      url: `${this.#twin.url}${path}`,
      method,
      headers,
      ca: this.#twin.ca,
      body: this.#filled(step.body ?? '')
    })
  }
}

interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

function send(call: {
  url: string
  method: string
  headers: Record<string, string>
  ca: string
  body: string
}): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      call.url,
      { method: call.method, headers: call.headers, ca: call.ca, timeout: 30_000 },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        response.on('end', () => {
          const entries = Object.entries(response.headers).map(
            ([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')] as const
          )
          resolve({ status: response.statusCode ?? 0, headers: Object.fromEntries(entries), text })
        })
      }
    )
    sent.on('error', reject)
    sent.end(call.body)
  })
}

const COMPARED_HEADERS = ['content-type', 'warning', 'allow', 'location', 'www-authenticate']

function headerDifference(
  step: Step,
  headers: HttpAnswer['headers'],
  normal: (text: string) => string
): string | undefined {
  if (step.responseHeaders === undefined) return undefined
  const actual: Record<string, string> = {}
  for (const name of COMPARED_HEADERS) if (headers[name] !== undefined) actual[name] = normal(headers[name])
  return jsonDifference('headers', actual, step.responseHeaders)
}

function parseAnswer(step: Step, text: string): unknown {
  const isStream = /[?&]watch=|\/watch\//.test(step.http ?? '') && step.status === 200
  if (!isStream) return text === '' ? null : JSON.parse(text)
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown)
}

function pick(value: unknown, path: readonly string[]): unknown {
  if (path.length === 0) return value ?? null
  const [step = '', ...rest] = path
  if (step === '*') return Array.isArray(value) ? value.map((item) => pick(item, rest)) : null
  if (typeof value !== 'object' || value === null) return null
  return pick((value as Record<string, unknown>)[step], rest)
}

function environment(options: SessionOptions): Record<string, string> {
  const root = dirname(options.folder)
  return {
    PATH: `${options.kubectl}:${process.env['PATH'] ?? ''}`,
    HOME: root,
    TZ: 'UTC',
    KUBECONFIG: join(root, 'kubeconfig'),
    KUBECACHEDIR: join(root, 'cache'),
    CRDS: options.crds
  }
}

function titleOf(step: Step): string {
  return (step.run ?? step.until ?? step.http ?? step.stored ?? step.stop ?? step.capture ?? '').split('\n')[0] ?? ''
}

function difference(what: string, actual: string, wanted: string): string | undefined {
  if (actual === wanted || actual.trimEnd() === wanted.trimEnd()) return undefined
  const left = actual.split('\n')
  const right = wanted.split('\n')
  const at = right.findIndex((line, index) => line !== left[index])
  const line = at === -1 ? right.length : at
  return `${what} line ${line + 1}\n  got:    ${left[line] ?? '(end)'}\n  wanted: ${right[line] ?? '(end)'}`
}

function jsonDifference(path: string, actual: unknown, wanted: unknown): string | undefined {
  if (isDeepStrictEqual(actual, wanted)) return undefined
  if (Array.isArray(actual) && Array.isArray(wanted)) {
    if (actual.length !== wanted.length) {
      return `${path}: ${actual.length} elements instead of ${wanted.length}: ${short(actual)} wanted ${short(wanted)}`
    }
    for (const [index, item] of wanted.entries()) {
      const found = jsonDifference(`${path}[${index}]`, actual[index], item)
      if (found !== undefined) return found
    }
    return undefined
  }
  if (isObject(actual) && isObject(wanted)) {
    for (const key of new Set([...Object.keys(wanted), ...Object.keys(actual)])) {
      const found = jsonDifference(`${path}.${key}`, actual[key], wanted[key])
      if (found !== undefined) return found
    }
    return undefined
  }
  return `${path}\n  got:    ${short(actual)}\n  wanted: ${short(wanted)}`
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function short(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 1200)
}
