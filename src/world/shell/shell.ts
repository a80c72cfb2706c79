import { type Command, defineCommand } from 'just-bash'
import { curlCommand } from './commands/curl.ts'
import { linkerdCommand } from './commands/linkerd.ts'
import { heyCommand, unmodelledCommand, wrkCommand } from './commands/load.ts'
import { dateCommand, quote, sleepCommand, timeoutCommand, watchCommand } from './commands/time.ts'
import { type KubeClient, kubectlCommand, shellKubeClient } from './kubectl/index.ts'
import type { ShellPlace, ShellPorts, ShellResult, ShellRunOptions, WorldShell } from './ports.ts'
import { Bash, COMMAND_WALL_MS_MAX, createPlaceFiles, OUTPUT_BYTES_MAX, type ShellSession } from './session.ts'

/** What just-bash 3.4.2 says on stderr when its signal ends it. */
const ABORTED = 'bash: execution aborted\n'

/** Programs that need the host or a protocol the twin does not carry; everything else unknown says so by itself. */
const UNMODELLED: Readonly<Record<string, string>> = {
  ghz: 'gRPC is not carried',
  grpc_health_probe: 'gRPC is not carried',
  helm: 'use kubectl apply',
  wget: 'use curl'
}

/**
 * Makes the world's shell: just-bash with an in-memory file system per place and the twin's own commands. It never
 * reaches the host's shell, files or network. A command runs under a hold that it gives back while it waits for
 * simulated time; output and wall time are bounded.
 */
export function createWorldShell(ports: ShellPorts): WorldShell {
  const filesOf = createPlaceFiles()
  const client = shellKubeClient({ ports })
  async function run(command: string, options: ShellRunOptions): Promise<ShellResult> {
    const hold = ports.clock.hold(`command ${command.slice(0, 80)}`)
    const abort = new AbortController()
    const stop = (): void => {
      hold.resume()
      abort.abort()
    }
    options.signal?.addEventListener('abort', stop)
    if (options.signal?.aborted === true) stop()
    const session: ShellSession = {
      ports,
      place: options.place,
      hold,
      signal: abort.signal,
      onOutput: options.onOutput
    }
    const bash = new Bash({
      fs: filesOf(options.place),
      cwd: '/',
      env: { HOME: '/', HOSTNAME: hostName(options.place), ...options.env },
      customCommands: commandsOf(session, client, run),
      defenseInDepth: false,
      executionLimits: { maxOutputSize: OUTPUT_BYTES_MAX, maxExecutionTimeMs: COMMAND_WALL_MS_MAX }
    })
    try {
      const stdin = options.stdin === undefined ? {} : { stdin: options.stdin }
      const result = await bash.exec(command, { signal: abort.signal, ...stdin })
      const exitCode = abort.signal.aborted ? 130 : result.exitCode
      return { exitCode, stdout: result.stdout, stderr: result.stderr.replace(ABORTED, '') }
    } catch (cause) {
      if (!abort.signal.aborted) throw cause
      return { exitCode: 130, stdout: '', stderr: '' }
    } finally {
      options.signal?.removeEventListener('abort', stop)
      hold.release()
    }
  }
  return { run, exec: (argv, options) => run(argv.map(quote).join(' '), options) }
}

function commandsOf(session: ShellSession, client: KubeClient, run: WorldShell['run']): Command[] {
  const unmodelled = Object.entries(UNMODELLED).map(([name, why]) => unmodelledCommand(name, why))
  return [
    sleepCommand(session),
    dateCommand(session),
    hostnameCommand(session.place),
    timeoutCommand(session),
    watchCommand(session),
    curlCommand(session),
    heyCommand(session),
    wrkCommand(session),
    linkerdCommand(session),
    kubectlCommand(session, client, async (namespace, pod, container, command) => {
      session.hold.suspend()
      try {
        return await run(command, {
          place: { kind: 'pod', namespace, pod, ...(container === undefined ? {} : { container }) },
          signal: session.signal
        })
      } finally {
        session.hold.resume()
      }
    }),
    ...unmodelled
  ]
}

/** `hostname`: the pod's name, as in a container. */
function hostnameCommand(place: ShellPlace): Command {
  return defineCommand('hostname', () => Promise.resolve({ stdout: `${hostName(place)}\n`, stderr: '', exitCode: 0 }))
}

function hostName(place: ShellPlace): string {
  return place.kind === 'terminal' ? 'terminal' : place.pod
}
