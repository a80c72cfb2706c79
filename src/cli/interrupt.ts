/** Wall milliseconds after Ctrl-C in which everything must have ended; then the process ends anyway. */
const END_WALL_MS = 1700
/** Exit code of an interrupted process. */
const EXIT_INTERRUPTED = 130

/** A signal that is aborted by Ctrl-C or a polite request to end; a second Ctrl-C ends the process at once. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController()
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(EXIT_INTERRUPTED)
    controller.abort()
    setTimeout(() => process.exit(EXIT_INTERRUPTED), END_WALL_MS).unref()
  }
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  process.on('SIGHUP', interrupt)
  return controller.signal
}
