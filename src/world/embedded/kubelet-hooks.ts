import type { Duplex } from 'node:stream'
import type { KubeObject, KubeStatus } from '../../kinds/index.ts'
import { formatTimestampNano } from '../../lib/time/index.ts'
import { isInteractiveProgram, openInteractiveShell, type ShellPlace, type WorldShell } from '../shell/index.ts'
import type { ExecCall, ExecOutput, ExecSession, LogsCall, LogsOutput, WireHooks } from '../wire/index.ts'
import type { WorldClock } from './clock.ts'
import type { LogBook, LogLine } from './log-book.ts'

/** What the kubelet's side of the API needs of its world. */
export interface KubeletOptions {
  readonly clock: WorldClock
  readonly shell: WorldShell
  readonly logs: LogBook
  readonly getPod: (namespace: string, name: string) => KubeObject | undefined
  /** Opens a connection to a port of the pod's app; rejects with the kubelet's words. */
  readonly connect: (namespace: string, pod: string, port: number) => Promise<Duplex>
}

interface PodShape extends KubeObject {
  readonly spec?: {
    readonly containers?: readonly {
      readonly name: string
      readonly env?: readonly { readonly name: string; readonly value?: string }[]
    }[]
  }
  readonly status?: { readonly phase?: string }
}

/** What the API server forwards to kubelets: exec, logs and port-forward of the world's pods. */
export function kubeletHooks(options: KubeletOptions): WireHooks {
  return {
    exec: (call, output) => execCall(options, call, output),
    logs: (call, output) => logsCall(options, call, output),
    portForward: ({ namespace, pod, port }) => options.connect(namespace, pod, port),
    findPod: (namespace, name) => {
      const pod = findRunning(options, namespace, name)
      return isRefusal(pod) ? pod : undefined
    }
  }
}

function findRunning(options: KubeletOptions, namespace: string, name: string): PodShape | KubeStatus {
  const pod = options.getPod(namespace, name) as PodShape | undefined
  if (pod === undefined) return refusal(404, 'NotFound', `pods "${name}" not found`)
  if (pod.status?.phase !== 'Running') {
    return refusal(400, 'BadRequest', `pod ${name} is not running; its phase is ${pod.status?.phase ?? 'Pending'}`)
  }
  return pod
}

function isRefusal(found: PodShape | KubeStatus): found is KubeStatus {
  return found.kind === 'Status'
}

function refusal(code: number, reason: string, message: string): KubeStatus {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code }
}

function containerOf(pod: PodShape, wanted: string | undefined): string | KubeStatus {
  const containers = pod.spec?.containers ?? []
  const name = wanted ?? containers[0]?.name ?? ''
  if (containers.some((container) => container.name === name)) return name
  return refusal(400, 'BadRequest', `container ${name} is not valid for pod ${pod.metadata.name}`)
}

function execCall(options: KubeletOptions, call: ExecCall, output: ExecOutput): ExecSession | KubeStatus {
  const pod = findRunning(options, call.namespace, call.pod)
  if (isRefusal(pod)) return pod
  const container = containerOf(pod, call.container)
  if (typeof container !== 'string') return container
  const place: ShellPlace = { kind: 'pod', namespace: call.namespace, pod: call.pod, container }
  const env = environmentOf(pod, container)
  if (isInteractiveProgram(call.command) && call.stdin) return interactive(options, { call, place, env }, output)
  return single(options, { call, place, env }, output)
}

interface Placed {
  readonly call: ExecCall
  readonly place: ShellPlace
  readonly env: Readonly<Record<string, string>>
}

function environmentOf(pod: PodShape, container: string): Readonly<Record<string, string>> {
  const found = pod.spec?.containers?.find((one) => one.name === container)
  return Object.fromEntries(
    (found?.env ?? []).flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]]))
  )
}

function interactive(options: KubeletOptions, { call, place, env }: Placed, output: ExecOutput): ExecSession {
  const session = openInteractiveShell(options.shell, {
    place,
    env,
    tty: call.tty,
    onOutput: (chunk, stream) => output[stream](chunk)
  })
  void session.exited.then((code) => output.exit(code))
  return {
    stdin: (chunk) => session.write(chunk.toString('utf8')),
    endStdin: () => session.end(),
    kill: () => session.kill()
  }
}

/** A program with arguments; its input is read to its end first where the client sends one. */
function single(options: KubeletOptions, { call, place, env }: Placed, output: ExecOutput): ExecSession {
  const abort = new AbortController()
  const chunks: Buffer[] = []
  let started = false
  const start = async (): Promise<void> => {
    if (started) return
    started = true
    const text = (chunk: string): string => (call.tty ? chunk.replace(/\r?\n/g, '\r\n') : chunk)
    const runOptions = {
      place,
      env,
      signal: abort.signal,
      stdin: Buffer.concat(chunks).toString('utf8'),
      onOutput: (chunk: string, stream: 'stdout' | 'stderr') => output[stream](text(chunk))
    }
    const script = scriptOf(call.command)
    const outcome =
      script === undefined
        ? await options.shell.exec(call.command, runOptions)
        : await options.shell.run(script, runOptions)
    if (outcome.stdout !== '') output.stdout(text(outcome.stdout))
    if (outcome.stderr !== '') output.stderr(text(outcome.stderr))
    output.exit(outcome.exitCode)
  }
  // With a terminal the input stays open for as long as the command runs.
  if (!call.stdin || call.tty) void start()
  return {
    stdin: (chunk) => {
      if (call.tty && chunk.includes(3)) abort.abort()
      else chunks.push(chunk)
    },
    endStdin: () => void start(),
    kill: () => {
      abort.abort()
      void start()
    }
  }
}

/** The text of `sh -c text`, which the world's shell runs as it is. */
function scriptOf(command: readonly string[]): string | undefined {
  const [program, flag, text] = command
  const isShell = ['sh', 'bash', 'ash'].includes(program?.split('/').at(-1) ?? '')
  return isShell && flag !== undefined && /^-\w*c$/.test(flag) ? text : undefined
}

function logsCall(options: KubeletOptions, call: LogsCall, output: LogsOutput): { stop(): void } | KubeStatus {
  const pod = options.getPod(call.namespace, call.pod) as PodShape | undefined
  if (pod === undefined) return refusal(404, 'NotFound', `pods "${call.pod}" not found`)
  const container = containerOf(pod, call.container)
  if (typeof container !== 'string') return container
  const print = (line: LogLine): string => `${call.timestamps ? `${formatTimestampNano(line.at)} ` : ''}${line.text}\n`
  const since = call.sinceSeconds === undefined ? 0 : options.clock.now() - call.sinceSeconds * 1000
  let lines = options.logs.read(call.namespace, call.pod, container).filter((line) => line.at >= since)
  if (call.tailLines !== undefined) lines = lines.slice(Math.max(0, lines.length - call.tailLines))
  output.write(lines.map(print).join('').slice(0, call.limitBytes))
  if (!call.follow) {
    output.end()
    return { stop: () => undefined }
  }
  const unfollow = options.logs.follow(call.namespace, call.pod, container, (line) => output.write(print(line)))
  return { stop: unfollow }
}
