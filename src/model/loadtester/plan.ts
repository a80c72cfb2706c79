/** What the load tester asks of its world. */
export type LoadTesterEffect =
  | { readonly effect: 'now' }
  | { readonly effect: 'sleep'; readonly ms: number }
  | { readonly effect: 'shell'; readonly argv: readonly string[]; readonly timeoutMs: number }
  | { readonly effect: 'log'; readonly line: string }
  | { readonly effect: 'spawn'; readonly name: string; readonly plan: LoadTesterTask }

/** Result of an effect: a time for `now`, the command's result for `shell`. */
export type LoadTesterEffectResult = undefined | number | readonly unknown[] | ShellResult

/** What a command gave back; `output` is stdout and stderr in the order written. */
export interface ShellResult {
  readonly exitCode: number
  readonly output: string
}

/** How the load tester answers; `close` ends the connection without an answer. */
export type LoadTesterAnswer =
  | {
      readonly kind: 'response'
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: string
    }
  | { readonly kind: 'close' }

/** The handling of one request. */
export type LoadTesterPlan = Generator<LoadTesterEffect, LoadTesterAnswer, LoadTesterEffectResult>

/** A task that runs beside the requests. */
export type LoadTesterTask = Generator<LoadTesterEffect, void, LoadTesterEffectResult>

/** Runs a command and waits for it. */
export function* runShell(
  argv: readonly string[],
  timeoutMs: number
): Generator<LoadTesterEffect, ShellResult, LoadTesterEffectResult> {
  const result = yield { effect: 'shell', argv, timeoutMs }
  return typeof result === 'object' && 'exitCode' in result ? result : { exitCode: 1, output: '' }
}
