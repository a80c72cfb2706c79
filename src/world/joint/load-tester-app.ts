import { parseGoDuration } from '../../lib/time/index.ts'
import { type App, type AppOptions, type AppRequest, argvOf, parseFlags, wrapApp } from '../../model/app/index.ts'
import { createLoadTester, type LoadTester } from '../../model/loadtester/index.ts'

/** Flagger's load tester as an app, and its gates. @see fluxcd/flagger cmd/loadtester/main.go 0.38.0 */
export function loadTesterApp(options: AppOptions): { readonly app: App; readonly loadTester: LoadTester } {
  const { flags } = parseFlags(argvOf(options.container).slice(1), new Set(['zap-replace-globals']))
  const text = (name: string, absent: string): string => flags.get(name)?.at(-1) ?? absent
  const port = Number(text('port', '9090'))
  const loadTester = createLoadTester({
    port,
    timeoutMs: parseGoDuration(text('timeout', '1h')) ?? 3_600_000,
    namespaceRegexp: text('namespace-regexp', '')
  })
  const core = {
    version: options.spec.version ?? '0.38.0',
    ports: [port],
    startupMs: 300,
    serve: (request: AppRequest) => loadTester.serve({ path: request.target, body: request.body })
  }
  return { app: wrapApp(core, options), loadTester }
}
