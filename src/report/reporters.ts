import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { TwinError } from '../lib/errors/index.ts'
import type { SessionObserver } from '../run/index.ts'
import { githubReporter } from './github-reporter.ts'
import { htmlReporter } from './html-reporter.ts'
import { jsonReporter } from './json-reporter.ts'
import { junitReporter } from './junit-reporter.ts'
import { lineReporter } from './line-reporter.ts'
import type { TextSink } from './style.ts'

/** Names `--reporter` takes; each may be followed by `=file`. */
export const REPORTER_NAMES: readonly string[] = ['line', 'json', 'junit', 'github', 'html']

/**
 * Makes the reporters a command line names.
 * @param specs - e.g. `['line', 'junit=out/junit.xml']`; empty: `line`
 * @throws TwinError TWIN_USAGE for a name that is not there
 */
export function createReporters(specs: readonly string[], sink: TextSink): SessionObserver {
  const chosen = specs.length === 0 ? ['line'] : specs
  return together(chosen.map((spec) => createReporter(spec, sink)))
}

function createReporter(spec: string, sink: TextSink): SessionObserver {
  const equals = spec.indexOf('=')
  const name = equals < 0 ? spec : spec.slice(0, equals)
  const file = equals < 0 ? undefined : spec.slice(equals + 1)
  const write = (text: string): void => (file === undefined ? sink.write(text) : save(file, text))
  switch (name) {
    case 'line':
      return lineReporter(file === undefined ? sink : { write: appender(file), colours: false })
    case 'json':
      return jsonReporter(write)
    case 'junit':
      return junitReporter(write)
    case 'github':
      return githubReporter(file === undefined ? write : appender(file))
    case 'html':
      return htmlReporter((text) => save(file ?? '.twin/report.html', text))
    default:
      throw new TwinError('TWIN_USAGE', `no reporter is called "${name}"; known: ${REPORTER_NAMES.join(', ')}`)
  }
}

/** Tells several observers everything. */
function together(observers: readonly SessionObserver[]): SessionObserver {
  return {
    onStart: (cases) => observers.forEach((observer) => observer.onStart?.(cases)),
    onCaseStart: (scenario, repetition) =>
      observers.forEach((observer) => observer.onCaseStart?.(scenario, repetition)),
    onLine: (line) => observers.forEach((observer) => observer.onLine?.(line)),
    onCaseEnd: (result) => observers.forEach((observer) => observer.onCaseEnd?.(result)),
    onEnd: async (summary) => {
      for (const observer of observers) await observer.onEnd?.(summary)
    }
  }
}

function save(file: string, text: string): void {
  mkdirSync(dirname(resolve(file)), { recursive: true })
  writeFileSync(file, text)
}

function appender(file: string): (text: string) => void {
  let whole = ''
  return (text) => {
    whole += text
    save(file, whole)
  }
}
