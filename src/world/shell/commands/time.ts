import { defineCommand } from 'just-bash'
import type { Command } from 'just-bash'
import { parseGoDuration } from '../../../lib/time/index.ts'
import { epochSeconds } from '../ports.ts'
import { OUTPUT_BYTES_MAX, type ShellSession, sleepSession } from '../session.ts'

/** Simulated milliseconds of a duration as coreutils reads it: `5`, `0.5`, `2m`, `1h`; undefined when it is none. */
export function parseCoreutilsDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d*)?|\.\d+)([smhd]?)$/.exec(text)
  if (match === null) return undefined
  const unitMs = { '': 1000, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] ?? ''] ?? 1000
  return Number(match[1]) * unitMs
}

/** `sleep` on simulated time (coreutils 9). */
export function sleepCommand(session: ShellSession): Command {
  return defineCommand('sleep', async (args, ctx) => {
    if (args.length === 0) return failed(1, 'sleep: missing operand\n')
    let totalMs = 0
    for (const text of args) {
      const ms = parseCoreutilsDuration(text)
      if (ms === undefined) return failed(1, `sleep: invalid time interval '${text}'\n`)
      totalMs += ms
    }
    await sleepSession(session, totalMs, ctx.signal)
    return { stdout: '', stderr: '', exitCode: ctx.signal?.aborted === true ? 130 : 0 }
  })
}

/** `date` on simulated time; formats are the bundled command's. */
export function dateCommand(session: ShellSession): Command {
  return defineCommand('date', async (args, ctx) => {
    const original = ctx.origCommand
    if (original === undefined) return failed(1, 'date: not available\n')
    const given = args.some((arg) => /^(-d|--date|-r|--reference)/.test(arg))
    return original(given ? args : ['-d', `@${epochSeconds(session.ports.clock.now())}`, ...args])
  })
}

/** `timeout` on simulated time (coreutils 9): 124 when the command had to be ended. */
export function timeoutCommand(session: ShellSession): Command {
  return defineCommand('timeout', async (args, ctx) => {
    const rest = [...args]
    while (rest[0]?.startsWith('-') === true) {
      const flag = rest.shift() ?? ''
      if (['-k', '-s', '--kill-after', '--signal'].includes(flag)) rest.shift()
    }
    const limitText = rest.shift()
    const program = rest.shift()
    if (limitText === undefined || program === undefined) return failed(125, 'timeout: missing operand\n')
    const limitMs = parseCoreutilsDuration(limitText)
    if (limitMs === undefined) return failed(125, `timeout: invalid time interval '${limitText}'\n`)
    if (ctx.exec === undefined) return failed(125, 'timeout: not available\n')
    const abort = new AbortController()
    const stop = (): void => abort.abort()
    ctx.signal?.addEventListener('abort', stop)
    let timedOut = false
    const { clock } = session.ports
    const scheduled =
      limitMs === 0
        ? undefined
        : clock.at(clock.now() + limitMs, () => {
            timedOut = true
            session.hold.resume()
            stop()
          })
    const outcome = await ctx.exec(quote(program), { cwd: ctx.cwd, signal: abort.signal, args: rest }).catch(() => ({
      stdout: '',
      stderr: '',
      exitCode: 130
    }))
    scheduled?.cancel()
    ctx.signal?.removeEventListener('abort', stop)
    if (timedOut) return { stdout: outcome.stdout, stderr: '', exitCode: 124 }
    return { stdout: outcome.stdout, stderr: outcome.stderr, exitCode: outcome.exitCode }
  })
}

interface WatchOptions {
  readonly intervalText: string
  readonly intervalMs: number
  readonly title: boolean
  readonly onError: boolean
  readonly onChange: boolean
  readonly command: string
}

/**
 * `watch` on simulated time: the command, then the interval, again and again until it is ended (procps 4, which does not
 * count the command's own time unless `--precise` is given). Screens are streamed where someone looks, otherwise the
 * last ones are kept.
 */
export function watchCommand(session: ShellSession): Command {
  return defineCommand('watch', async (args, ctx) => {
    const options = parseWatch(args)
    if (typeof options === 'string') return failed(1, options)
    if (ctx.exec === undefined) return failed(1, 'watch: not available\n')
    let kept = ''
    let before: string | undefined
    const show = (text: string): void => {
      if (session.onOutput !== undefined) session.onOutput(text, 'stdout')
      else kept = (kept + text).slice(-OUTPUT_BYTES_MAX / 4)
    }
    while (ctx.signal?.aborted !== true) {
      const outcome = await ctx.exec(options.command, { cwd: ctx.cwd, ...signalOf(ctx.signal) })
      const text = outcome.stdout + outcome.stderr
      show(`${options.title ? `Every ${options.intervalText}s: ${options.command}\n\n` : ''}${text}`)
      if (options.onError && outcome.exitCode !== 0) return { stdout: kept, stderr: '', exitCode: 8 }
      if (options.onChange && before !== undefined && before !== text) return { stdout: kept, stderr: '', exitCode: 0 }
      before = text
      await sleepSession(session, options.intervalMs, ctx.signal)
    }
    return { stdout: kept, stderr: '', exitCode: 130 }
  })
}

function parseWatch(args: readonly string[]): WatchOptions | string {
  let interval = '2.0'
  let title = true
  let onError = false
  let onChange = false
  let index = 0
  for (; index < args.length; index++) {
    const arg = args[index] ?? ''
    if (arg === '--') {
      index++
      break
    }
    if (!arg.startsWith('-')) break
    const attached = /^(?:-n|--interval=)(.+)$/.exec(arg)
    if (attached !== null) interval = attached[1] ?? ''
    else if (arg === '-n' || arg === '--interval') interval = args[++index] ?? ''
    else if (arg === '-t' || arg === '--no-title') title = false
    else if (arg === '-e' || arg === '--errexit') onError = true
    else if (arg === '-g' || arg === '--chgexit') onChange = true
    else if (!['-d', '--differences', '-x', '--exec', '-c', '--color', '-p', '--precise'].includes(arg)) {
      return `watch: invalid option -- '${arg.replace(/^-+/, '')}'\n`
    }
  }
  const command = args.slice(index).join(' ')
  const seconds = Number(interval)
  if (command === '') return 'watch: no command given\n'
  if (!Number.isFinite(seconds)) return `watch: failed to parse argument: '${interval}'\n`
  const intervalMs = Math.max(100, seconds * 1000)
  return { intervalText: (intervalMs / 1000).toFixed(1), intervalMs, title, onError, onChange, command }
}

function signalOf(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}

/** A word that the shell reads back as itself. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** A failed command: message on stderr, exit code. */
export function failed(exitCode: number, stderr: string): { stdout: string; stderr: string; exitCode: number } {
  return { stdout: '', stderr, exitCode }
}

/** Milliseconds of a Go duration or of plain seconds, as hey, wrk and ghz take them. */
export function parseToolDuration(text: string): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000
  return parseGoDuration(text)
}
