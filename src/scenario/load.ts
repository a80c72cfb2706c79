import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import type { AppSpec, KubeObject } from '../kinds/index.ts'
import { schemaProblems } from './issues.ts'
import { manifestPlace } from './manifest-place.ts'
import { displayPath, readManifests, type SourcedObject } from './manifests.ts'
import { lintManifests } from './manifest-lint.ts'
import { caseName, combinations, type Combination, substitute } from './params.ts'
import { type Problem, PROBLEMS_MAX } from './problem.ts'
import { durationMs } from './quantity.ts'
import { lintReferences } from './reference-lint.ts'
import { resolveProvider } from './mesh-provider.ts'
import type { RawScenario } from './raw.ts'
import { resolveExpectations } from './resolve-expectations.ts'
import { resolveImage, resolveLoad } from './resolve-images.ts'
import { resolveSteps } from './resolve-steps.ts'
import type { ResolvedScenario } from './resolved.ts'
import { scenarioSchema } from './schema.ts'
import { parseSource, problemAt, sourceData, type SourceDocument } from './source.ts'

/** The cases of a file, or what is wrong with it; a file may have some of each. */
export interface LoadedFile {
  readonly file: string
  readonly cases: readonly ResolvedScenario[]
  readonly problems: readonly Problem[]
}

/** Choices of the command line that take precedence over the file. */
export interface LoadOverrides {
  readonly seed?: number
}

const DEFAULT_SEED = 1
const DEFAULT_TIMEOUT_MS = 3_600_000
const DEFAULT_WALL_TIMEOUT_MS = 120_000

/** Whether a file holds at least one document of `apiVersion: twin/*`; only those are scenarios. */
export function isScenarioFile(path: string): boolean {
  return /^apiVersion:\s*["']?twin\//m.test(readFileSync(path, 'utf8'))
}

/**
 * Reads a scenario file completely: schema, parameters, manifests, images, queries.
 * It never throws for what the user wrote: problems carry file, line, column, the offending text and what to do.
 */
export function loadScenarioFile(path: string, overrides: LoadOverrides = {}): LoadedFile {
  const file = displayPath(path)
  const place = { file, line: 1, column: 1 }
  if (!existsSync(path)) {
    return {
      file,
      cases: [],
      problems: [{ place, message: 'no such file', code: 'TWIN_FILE_MISSING', fix: 'correct the path' }]
    }
  }
  if (statSync(path).isDirectory())
    return { file, cases: [], problems: [{ place, message: 'is a folder, not a file' }] }
  const text = readFileSync(path, 'utf8')
  const outcome = parseSource(file, text)
  if (outcome.problems.length > 0) return { file, cases: [], problems: outcome.problems }
  const scenarios = outcome.documents
    .map((_, index) => index)
    .filter((index) => isTwinDocument(outcome.documents[index]))
  if (scenarios.length === 0) {
    const fix = 'a scenario begins with "apiVersion: twin/v1alpha1" and "kind: Scenario"'
    return { file, cases: [], problems: [{ place, message: 'holds no scenario', fix }] }
  }
  const loaded = scenarios.map((index) => loadDocument({ file, text, index, overrides }))
  return {
    file,
    cases: loaded.flatMap((part) => part.cases),
    problems: distinct(loaded.flatMap((part) => part.problems)).slice(0, PROBLEMS_MAX)
  }
}

function isTwinDocument(source: SourceDocument | undefined): boolean {
  const apiVersion: unknown = source?.document.get('apiVersion')
  return typeof apiVersion === 'string' && apiVersion.startsWith('twin/')
}

interface DocumentInput {
  readonly file: string
  readonly text: string
  readonly index: number
  readonly overrides: LoadOverrides
}

interface Loaded {
  readonly cases: readonly ResolvedScenario[]
  readonly problems: readonly Problem[]
}

function loadDocument(input: DocumentInput): Loaded {
  const first = parseSource(input.file, input.text).documents[input.index]
  if (first === undefined) return { cases: [], problems: [] }
  const cases: ResolvedScenario[] = []
  const problems: Problem[] = []
  for (const combination of combinations(sourceData(first))) {
    // Parameters are put into the parsed document, so each combination needs its own.
    const source = parseSource(input.file, input.text).documents[input.index] ?? first
    const own = loadCase(source, combination, input.overrides)
    cases.push(...own.cases)
    problems.push(...own.problems)
    if (problems.length >= PROBLEMS_MAX) break
  }
  return { cases, problems }
}

function loadCase(source: SourceDocument, combination: Combination, overrides: LoadOverrides): Loaded {
  const missing = substitute(source, combination.params)
  if (missing.length > 0) return { cases: [], problems: missing }
  const parsed = scenarioSchema.safeParse(sourceData(source))
  if (!parsed.success) return { cases: [], problems: schemaProblems(source, parsed.error.issues) }
  const problems: Problem[] = []
  const scenario = resolveScenario(parsed.data, { source, combination, overrides, problems })
  return problems.length > 0 ? { cases: [], problems } : { cases: [scenario], problems: [] }
}

interface ResolveInput {
  readonly source: SourceDocument
  readonly combination: Combination
  readonly overrides: LoadOverrides
  /** Filled by what is found wrong. */
  readonly problems: Problem[]
}

function resolveScenario(raw: RawScenario, input: ResolveInput): ResolvedScenario {
  const { source, combination, overrides } = input
  const { spec } = raw
  const report = (problem: Problem): void => void input.problems.push(problem)
  const images = Object.fromEntries(
    Object.entries(spec.images).map(([image, value]) => [image, resolveImage(image, value)])
  )
  const sourced = resolveManifests(raw, images, input)
  const manifests = sourced.map((entry) => entry.object)
  if (input.problems.length === 0) lintReferences(spec, { source, manifests }, report)
  const defaults = { namespace: canaryNamespace(manifests) }
  const context = { source, images, defaults, report, loads: (spec.load ?? []).map((load) => load.name) }
  const body = {
    labels: raw.metadata.labels ?? {},
    seed: overrides.seed ?? spec.seed ?? DEFAULT_SEED,
    timeoutMs: spec.timeout === undefined ? DEFAULT_TIMEOUT_MS : durationMs(spec.timeout),
    wallTimeoutMs: spec.wallTimeout === undefined ? DEFAULT_WALL_TIMEOUT_MS : durationMs(spec.wallTimeout),
    manifests,
    images,
    mesh: {
      provider: resolveProvider(spec.mesh?.provider, { source, path: ['spec', 'mesh', 'provider'] }, report),
      adminTraffic: spec.mesh?.adminTraffic ?? true
    },
    controller: {
      flags: Object.fromEntries(
        Object.entries(spec.controller?.flags ?? {}).map(([key, value]) => [key, String(value)])
      ),
      env: spec.controller?.env ?? {}
    },
    load: (spec.load ?? []).map(resolveLoad),
    allowHosts: spec.allowHosts ?? [],
    steps: resolveSteps(spec.steps ?? [], ['spec', 'steps'], context),
    expect: resolveExpectations(spec.expect, ['spec', 'expect'], context)
  }
  checkLoadNames(
    body.load.map((load) => load.name),
    input
  )
  const excludedWorlds = Object.fromEntries((spec.worlds?.exclude ?? []).map((entry) => [entry.world, entry.because]))
  return {
    name: caseName(raw.metadata.name, combination.varied),
    file: source.file,
    ...(spec.description === undefined ? {} : { description: spec.description.trim() }),
    params: combination.params,
    excludedWorlds,
    manifestPlaces: sourced.map(manifestPlace),
    ...body,
    inputsDigest: createHash('sha256').update(JSON.stringify(body)).digest('hex')
  }
}

function resolveManifests(
  raw: RawScenario,
  images: Readonly<Record<string, AppSpec>>,
  input: ResolveInput
): SourcedObject[] {
  const report = (problem: Problem): void => void input.problems.push(problem)
  const list = { source: input.source, path: ['spec', 'manifests'] }
  const sourced = readManifests(raw.spec.manifests, list, report)
  lintManifests(sourced, { images: Object.keys(images), scenario: list }, report)
  return sourced
}

function canaryNamespace(manifests: readonly KubeObject[]): string {
  return manifests.find((object) => object.kind === 'Canary')?.metadata.namespace ?? 'default'
}

function checkLoadNames(names: readonly string[], input: ResolveInput): void {
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) === index) continue
    const message = `two loads are called "${name}"`
    input.problems.push(
      problemAt(input.source, ['spec', 'load', index, 'name'], { message, fix: 'give each its own name' })
    )
  }
}

function distinct(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>()
  return problems.filter((problem) => {
    const key = JSON.stringify([problem.place, problem.message])
    return seen.has(key) ? false : (seen.add(key), true)
  })
}
