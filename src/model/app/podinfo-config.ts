import { parseGoDuration } from '../../lib/time/index.ts'
import type { AppContainer } from './app.ts'
import { argvOf, envOf, parseFlags } from './command-line.ts'
import { atLeast, imageTag } from './version.ts'

/** podinfo's settings after flags, environment and defaults. */
export interface PodinfoConfig {
  readonly version: string
  readonly revision: string
  readonly port: number
  /** 0: no second listener. */
  readonly metricsPort: number
  readonly level: string
  readonly color: string
  readonly message: string
  readonly logo: string
  readonly configPath: string
  readonly backendUrls: readonly string[]
  readonly clientTimeoutMs: number
  readonly serverTimeoutMs: number
  readonly shutdownTimeoutMs: number
  readonly randomDelay: boolean
  readonly randomDelayMin: number
  readonly randomDelayMax: number
  readonly randomDelayUnitMs: number
  readonly randomError: boolean
  readonly unhealthy: boolean
  readonly unready: boolean
  readonly jwtSecret: string
  readonly prefix: string
}

const BOOLEANS: ReadonlySet<string> = new Set([
  'random-delay',
  'random-error',
  'unhealthy',
  'unready',
  'h2c',
  'version',
  'help'
])

/** Commits of the tags whose answers were recorded; any other version says `unknown`, as a build without one does. */
const REVISIONS: Readonly<Record<string, string>> = {
  '3.1.1': '087da02dbbee12dc9b64a9dd6269383dd4ffbe32',
  '6.0.1': '68fd4e245adcd2c5f96d0cdb84268e54fcb62d01',
  '6.14.1': 'eec06d1ea459af4cb4e10e806f8be7c7bd58b361'
}

const DEFAULT_LOGO = 'https://raw.githubusercontent.com/stefanprodan/podinfo/gh-pages/cuddle_clap.gif'
const DEFAULT_JWT_SECRET = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9'

/**
 * Reads podinfo's settings: a flag wins over `PODINFO_<NAME>`, which wins over the default of that version.
 * @param declaredVersion - version of the behaviour; absent: the image's tag
 * @see stefanprodan/podinfo cmd/podinfo/main.go
 */
export function podinfoConfig(container: AppContainer, declaredVersion: string | undefined): PodinfoConfig {
  const version = declaredVersion ?? imageTag(container.image)
  const environment = container.env.filter(([name]) => name.startsWith('PODINFO_'))
  const key = JSON.stringify([version, argvOf(container), environment])
  const known = configs.get(key)
  if (known !== undefined) return known
  if (configs.size >= CONFIGS_MAX) configs.clear()
  const config = readConfig(container, version)
  configs.set(key, config)
  return config
}

/** Settings by what they are read from: the pods of a workload have the same. */
const configs = new Map<string, PodinfoConfig>()

/** Most of them that are kept. */
const CONFIGS_MAX = 100

function readConfig(container: AppContainer, version: string): PodinfoConfig {
  const { flags } = parseFlags(argvOf(container).slice(1), BOOLEANS)
  const environment = (name: string): string | undefined =>
    envOf(container, `PODINFO_${name.toUpperCase().replaceAll('-', '_')}`)
  const text = (name: string, absent: string): string => flags.get(name)?.at(-1) ?? environment(name) ?? absent
  const number = (name: string, absent: number): number => Number(text(name, String(absent))) || 0
  const boolean = (name: string): boolean => ['true', '1', 't', 'T', 'TRUE', 'True'].includes(text(name, 'false'))
  return {
    version,
    revision: REVISIONS[version] ?? 'unknown',
    port: number('port', 9898),
    metricsPort: number('port-metrics', 0),
    level: text('level', 'info'),
    color: text('ui-color', atLeast(version, '6.0.0') ? '#34577c' : 'blue'),
    message: text('ui-message', `greetings from podinfo v${version}`),
    logo: text('ui-logo', DEFAULT_LOGO),
    configPath: text('config-path', ''),
    backendUrls: (flags.get('backend-url') ?? [environment('backend-url') ?? ''])
      .flatMap((value) => value.split(','))
      .filter((value) => value !== ''),
    clientTimeoutMs: goDuration(text('http-client-timeout', '2m'), 120_000),
    serverTimeoutMs: goDuration(text('http-server-timeout', '30s'), 30_000),
    shutdownTimeoutMs: goDuration(text('server-shutdown-timeout', text('http-server-shutdown-timeout', '5s')), 5000),
    randomDelay: boolean('random-delay'),
    randomDelayMin: number('random-delay-min', 0),
    randomDelayMax: number('random-delay-max', 5),
    randomDelayUnitMs: text('random-delay-unit', 's') === 'ms' ? 1 : 1000,
    randomError: boolean('random-error'),
    unhealthy: boolean('unhealthy'),
    unready: boolean('unready'),
    jwtSecret: envOf(container, 'PODINFO_JWT_SECRET') ?? DEFAULT_JWT_SECRET,
    prefix: text('prefix', '').replace(/\/+$/, '')
  }
}

function goDuration(text: string, absentMs: number): number {
  return parseGoDuration(text) ?? absentMs
}
