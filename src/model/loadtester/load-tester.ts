import { createHash } from 'node:crypto'
import { metadataOf, parsePayload, type TaskPayload } from './payload.ts'
import { type LoadTesterAnswer, type LoadTesterPlan, type LoadTesterTask, runShell } from './plan.ts'

/** What the load tester is started with. */
export interface LoadTesterOptions {
  /** `-port`; default 9090. */
  readonly port: number
  /** `-timeout` of blocking tasks, milliseconds; default one hour. */
  readonly timeoutMs: number
  /** `-namespace-regexp`; empty: every namespace. */
  readonly namespaceRegexp: string
}

/** One request to the load tester; methods are not looked at. */
export interface LoadTesterRequest {
  readonly path: string
  readonly body: string
}

/** Flagger's load tester: gates and tasks, all in memory. */
export interface LoadTester {
  serve(request: LoadTesterRequest): LoadTesterPlan
  /** Opens or closes a gate from outside (a step of a scenario). @param key - `name.namespace` or `rollback.name.namespace` */
  setGate(key: string, open: boolean): void
  /** Whether a gate is open; unknown gates are closed. */
  gateOpen(key: string): boolean
}

/** Bound on the number of queued tasks of one load tester. */
const QUEUE_LIMIT = 1000
const EMPTY: LoadTesterAnswer = { kind: 'response', status: 400, headers: {}, body: '' }

/**
 * Flagger's load tester.
 * @see fluxcd/flagger 1.44.0 pkg/loadtester (its own version 0.38.0), golden/loadtester.json
 */
export function createLoadTester(options: LoadTesterOptions): LoadTester {
  const state: State = { options, gates: new Map(), running: new Set(), pattern: undefined }
  if (options.namespaceRegexp !== '') state.pattern = new RegExp(options.namespaceRegexp)
  return {
    serve: (request) => serve(state, request),
    setGate: (key, open) => {
      state.gates.set(key, open)
    },
    gateOpen: (key) => state.gates.get(key) === true
  }
}

interface State {
  readonly options: LoadTesterOptions
  readonly gates: Map<string, boolean>
  /** Identities of the tasks that run or wait. */
  readonly running: Set<string>
  pattern: RegExp | undefined
}

function* serve(state: State, request: LoadTesterRequest): LoadTesterPlan {
  const path = request.path.split('?')[0] ?? '/'
  if (path === '/healthz') return text(200, 'OK')
  if (path === '/metrics') return text(200, '')
  if (path === '/gate/approve') return text(200, 'OK')
  if (path === '/gate/halt') return text(403, 'Forbidden')
  const payload = parsePayload(request.body)
  if (payload === undefined) return EMPTY
  if (state.pattern !== undefined && !state.pattern.test(payload.namespace)) return text(403, 'Forbidden')
  const gate = /^\/(gate|rollback)\/(check|open|close)$/.exec(path)
  if (gate !== null) return answerGate(state, gate[1] ?? '', gate[2] ?? '', payload)
  return yield* submitTask(state, payload)
}

/** One gate per canary serves every kind of confirmation and stays open until it is closed. */
function answerGate(state: State, family: string, action: string, payload: TaskPayload): LoadTesterAnswer {
  const canary = `${payload.name}.${payload.namespace}`
  const key = family === 'rollback' ? `rollback.${canary}` : canary
  if (action === 'check') return state.gates.get(key) === true ? text(200, 'Approved') : text(403, 'Forbidden')
  state.gates.set(key, action === 'open')
  return { kind: 'response', status: 202, headers: {}, body: '' }
}

function* submitTask(state: State, payload: TaskPayload): LoadTesterPlan {
  const metadata = metadataOf(payload)
  if (metadata.size === 0) return text(400, 'metadata not found in payload')
  const type = metadata.get('type') ?? 'cmd'
  switch (type === '' ? 'cmd' : type) {
    case 'cmd':
      return yield* submitCommand(state, payload, metadata)
    case 'bash':
      return yield* runBlocking(state, ['bash', '-c', metadata.get('cmd') ?? ''], metadata)
    case 'helm':
    case 'helmv3':
      return yield* runBlocking(state, ['helm', ...words(metadata)], metadata)
    case 'kubectl':
      return yield* runBlocking(state, ['kubectl', ...words(metadata)], metadata)
    case 'concord':
      return concord(metadata)
    case 'ngrinder':
      return ngrinder(metadata)
    default:
      // The real one panics on an unknown type and drops the connection.
      return { kind: 'close' }
  }
}

function words(metadata: ReadonlyMap<string, string>): readonly string[] {
  return (metadata.get('cmd') ?? '').split(/\s+/).filter((word) => word !== '')
}

/** Identity of a task: the canary and the command; the same one does not run twice at once. */
function taskIdentity(payload: TaskPayload, command: string): string {
  const salt = Buffer.from([0x81, 0x1c, 0x9d, 0xc5])
  return createHash('sha256').update(`${payload.name}.${payload.namespace}${command}`).update(salt).digest('hex')
}

function* submitCommand(state: State, payload: TaskPayload, metadata: ReadonlyMap<string, string>): LoadTesterPlan {
  const command = metadata.get('cmd')
  if (command === undefined) return text(400, 'cmd not found in metadata')
  const identity = taskIdentity(payload, command)
  const canary = `${payload.name}.${payload.namespace}`
  if (state.running.size < QUEUE_LIMIT) {
    yield { effect: 'spawn', name: `task ${canary}`, plan: runQueued(state, { identity, canary, command, metadata }) }
  }
  return { kind: 'response', status: 202, headers: {}, body: '' }
}

interface QueuedTask {
  readonly identity: string
  readonly canary: string
  readonly command: string
  readonly metadata: ReadonlyMap<string, string>
}

/** A queued command: taken up by the loop that looks every 100 ms; its result reaches nobody. */
function* runQueued(state: State, task: QueuedTask): LoadTesterTask {
  const now = yield { effect: 'now' }
  yield { effect: 'sleep', ms: 100 - ((typeof now === 'number' ? now : 0) % 100) }
  if (state.running.has(task.identity)) {
    yield { effect: 'log', line: `command skipped ${task.command} is already running` }
    return
  }
  state.running.add(task.identity)
  yield { effect: 'log', line: `command starting ${task.command}` }
  const result = yield* runShell(['sh', '-c', task.command], state.options.timeoutMs)
  state.running.delete(task.identity)
  if (task.metadata.get('logCmdOutput') === 'true') yield { effect: 'log', line: result.output.trimEnd() }
  yield {
    effect: 'log',
    line: result.exitCode === 0 ? `command finished ${task.command}` : `command failed ${task.command}`
  }
}

function* runBlocking(state: State, argv: readonly string[], metadata: ReadonlyMap<string, string>): LoadTesterPlan {
  const command = argv[0] === 'bash' ? (argv[2] ?? '') : argv.slice(1).join(' ')
  if (argv[0] === 'bash' && command === '') return text(200, '')
  const result = yield* runShell(argv, state.options.timeoutMs)
  if (result.exitCode !== 0) {
    return text(500, `command ${command} failed: ${result.output}: exit status ${result.exitCode}`)
  }
  return text(200, metadata.get('returnCmdOutput') === 'true' ? result.output : '')
}

const CONCORD_KEYS: readonly string[] = ['server', 'org', 'project', 'repo', 'entrypoint', 'apiKeyPath', 'endpoint']

function concord(metadata: ReadonlyMap<string, string>): LoadTesterAnswer {
  const missing = CONCORD_KEYS.find((key) => metadata.get(key) === undefined)
  if (missing !== undefined) return text(500, `\`${missing}\` is required with type concord`)
  return text(500, 'type concord is not supported by the twin')
}

function ngrinder(metadata: ReadonlyMap<string, string>): LoadTesterAnswer {
  const complete = ['server', 'clone', 'username', 'passwd'].every((key) => metadata.get(key) !== undefined)
  return complete
    ? text(400, 'type ngrinder is not supported by the twin')
    : text(400, 'server, clone, username and passwd are required metadata')
}

function text(status: number, body: string): LoadTesterAnswer {
  const headers: Readonly<Record<string, string>> = body === '' ? {} : { 'Content-Type': 'text/plain; charset=utf-8' }
  return { kind: 'response', status, headers, body }
}
