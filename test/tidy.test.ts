/**
 * Style as a test: who may import whom, how long things may be, what may read time and chance.
 * Each failure says what to do instead.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

const projectRoot = resolve(import.meta.dirname, '..')
const sourceRoot = join(projectRoot, 'src')

const FILE_LINES_MAX = 400
const FUNCTION_LINES_MAX = 70
const PARAMETERS_MAX = 4

/** Layer → layers it may import, besides its own room. Lower layers know nothing of higher ones. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  lib: ['lib'],
  kinds: ['lib'],
  trace: ['kinds', 'lib'],
  model: ['trace', 'kinds', 'lib'],
  world: ['world', 'model', 'trace', 'kinds', 'lib'],
  scenario: ['model', 'trace', 'kinds', 'lib'],
  check: ['model', 'trace', 'kinds', 'lib'],
  tune: ['world', 'check', 'scenario', 'model', 'trace', 'kinds', 'lib'],
  run: ['world', 'check', 'scenario', 'model', 'trace', 'kinds', 'lib'],
  report: ['world', 'check', 'scenario', 'model', 'trace', 'kinds', 'lib', 'run'],
  dashboard: ['world', 'check', 'scenario', 'model', 'trace', 'kinds', 'lib'],
  cli: ['report', 'dashboard', 'tune', 'run', 'world', 'check', 'scenario', 'model', 'trace', 'kinds', 'lib'],
  index: ['report', 'tune', 'run', 'world', 'check', 'scenario', 'model', 'trace', 'kinds', 'lib']
}

/** Layers whose folders are rooms of their own. */
const LAYERS_OF_ROOMS = new Set(['lib', 'model', 'world'])

const BANNED_NAMES: Readonly<Record<string, string>> = {
  utils: 'name the file after what its functions are about',
  util: 'name the file after what its functions are about',
  helpers: 'name the file after the noun it helps with',
  helper: 'name the file after the noun it helps with',
  manager: 'name what it does: scheduler, registry, pool, …',
  common: 'move it to the lowest room that knows the word'
}

/** Reads of time and chance, and who may do them. */
const BANNED_READS: readonly { readonly pattern: RegExp; readonly instead: string; readonly allowed: RegExp }[] = [
  { pattern: /\bDate\.now\(/, instead: 'take `now` as a parameter, or use lib/time', allowed: /^lib\/time\// },
  {
    pattern: /\bnew Date\(\s*\)/,
    instead: 'take `now` as a parameter, or use lib/time',
    allowed: /^lib\/time\//
  },
  { pattern: /\bMath\.random\(/, instead: 'use a stream of lib/random', allowed: /^lib\/random\// }
]

/** What makes a pure room impure. */
const BANNED_IN_PURE: readonly { readonly pattern: RegExp; readonly instead: string }[] = [
  { pattern: /\bnew Promise\b|\basync\b|\bawait\b/, instead: 'yield an effect; a world does the waiting' },
  { pattern: /\bset(?:Timeout|Interval|Immediate)\(/, instead: 'schedule on a Timeline of lib/time' },
  { pattern: /from 'node:(?!crypto|zlib|buffer)/, instead: 'take the data as a parameter; a world does the I/O' }
]

interface SourceFile {
  /** Path below `src`, with `/`. */
  readonly path: string
  readonly text: string
  readonly tree: ts.SourceFile
}

function readSources(): SourceFile[] {
  return readdirSync(sourceRoot, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => {
      const absolute = join(entry.parentPath, entry.name)
      const text = readFileSync(absolute, 'utf8')
      const tree = ts.createSourceFile(absolute, text, ts.ScriptTarget.Latest, true)
      return { path: relative(sourceRoot, absolute).split(sep).join('/'), text, tree }
    })
}

/** `model/canary/routers/smi.ts` → `model/canary`; `scenario/load.ts` → `scenario`; `index.ts` → `index`. */
function roomOf(path: string): string {
  const [layer = '', second = ''] = path.split('/')
  if (!path.includes('/')) return layer.replace(/\.ts$/, '')
  return LAYERS_OF_ROOMS.has(layer) && !second.endsWith('.ts') ? `${layer}/${second}` : layer
}

function layerOf(room: string): string {
  return room.split('/')[0] ?? ''
}

function importsOf(file: SourceFile): string[] {
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier !== undefined) {
      if (ts.isStringLiteral(node.moduleSpecifier)) found.push(node.moduleSpecifier.text)
    }
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments
      if (argument !== undefined && ts.isStringLiteral(argument)) found.push(argument.text)
    }
    ts.forEachChild(node, visit)
  }
  visit(file.tree)
  return found.filter((specifier) => specifier.startsWith('.'))
}

function judgeImport(file: SourceFile, specifier: string): string | undefined {
  const absolute = resolve(sourceRoot, dirname(file.path), specifier)
  const target = relative(sourceRoot, absolute).split(sep).join('/')
  if (target.startsWith('..')) return undefined
  const from = roomOf(file.path)
  const to = roomOf(target)
  if (from === to || target.endsWith('.json')) return undefined
  const allowed = ALLOWED[layerOf(from)] ?? []
  if (!allowed.includes(layerOf(to))) return `${file.path} → ${target}: ${from} may import only ${allowed.join(', ')}`
  if (layerOf(from) === 'model' && layerOf(to) === 'model')
    return `${file.path} → ${target}: rooms of model never import each other; pass plain data, a world joins them`
  const entry =
    target === `${to}/index.ts` || target === `${to}.ts` || (layerOf(to) === 'kinds' && target.endsWith('/index.ts'))
  if (!entry && target !== 'world/world.ts') return `${file.path} → ${target}: enter a room through its index.ts`
  return undefined
}

function isData(path: string): boolean {
  return path.endsWith('.data.ts')
}

function functionsOf(file: SourceFile): { name: string; lines: number; parameters: number }[] {
  const found: { name: string; lines: number; parameters: number }[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
      const start = file.tree.getLineAndCharacterOfPosition(node.getStart()).line
      const end = file.tree.getLineAndCharacterOfPosition(node.getEnd()).line
      const name = node.name?.getText() ?? `line ${start + 1}`
      found.push({ name, lines: end - start + 1, parameters: node.parameters.length })
    }
    ts.forEachChild(node, visit)
  }
  visit(file.tree)
  return found
}

function isExported(node: ts.Node): boolean {
  return (
    ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some((one) => one.kind === ts.SyntaxKind.ExportKeyword)
  )
}

function undocumentedExports(file: SourceFile): string[] {
  return file.tree.statements
    .filter((node) => isExported(node) && ts.getJSDocCommentsAndTags(node).length === 0)
    .map((node) => `${file.path}:${file.tree.getLineAndCharacterOfPosition(node.getStart()).line + 1}`)
}

/** Comments removed, so that words in prose do not count; strings stay. */
function codeOf(file: SourceFile): string {
  return file.text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|[^:'"`])\/\/.*$/gm, '$1')
}

describe('tidy', () => {
  const sources = readSources()

  test('imports go down only, and through the index of a room', () => {
    const wrong = sources.flatMap((file) => importsOf(file).map((specifier) => judgeImport(file, specifier)))
    expect(wrong.filter((message) => message !== undefined)).toEqual([])
  })

  test('files and folders carry names that say what they are about', () => {
    const wrong = sources.flatMap((file) =>
      file.path
        .replace(/\.ts$/, '')
        .split(/[/.-]/)
        .filter((word) => word in BANNED_NAMES)
        .map((word) => `${file.path}: no \`${word}\`; ${BANNED_NAMES[word]}`)
    )
    expect(wrong).toEqual([])
  })

  test('nothing but lib/time and lib/random reads time or chance', () => {
    const wrong = sources.flatMap((file) =>
      BANNED_READS.filter((rule) => !rule.allowed.test(file.path) && rule.pattern.test(codeOf(file))).map(
        (rule) => `${file.path}: ${rule.instead}`
      )
    )
    expect(wrong).toEqual([])
  })

  test('lib and model stay synchronous and without I/O', () => {
    const pure = sources.filter((file) => /^(?:lib|model)\//.test(file.path))
    const wrong = pure.flatMap((file) =>
      BANNED_IN_PURE.filter((rule) => rule.pattern.test(codeOf(file))).map((rule) => `${file.path}: ${rule.instead}`)
    )
    expect(wrong).toEqual([])
  })

  test(`files have at most ${FILE_LINES_MAX} lines`, () => {
    const wrong = sources
      .filter((file) => !isData(file.path))
      .map((file) => ({ path: file.path, lines: file.text.split('\n').length - 1 }))
      .filter((file) => file.lines > FILE_LINES_MAX)
    expect(wrong.map((file) => `${file.path}: ${file.lines} lines; split it by topic`)).toEqual([])
  })

  test(`functions have at most ${FUNCTION_LINES_MAX} lines and ${PARAMETERS_MAX} parameters`, () => {
    const wrong = sources
      .filter((file) => !isData(file.path))
      .flatMap((file) =>
        functionsOf(file)
          .filter((one) => one.lines > FUNCTION_LINES_MAX || one.parameters > PARAMETERS_MAX)
          .map((one) => `${file.path}: ${one.name} (${one.lines} lines, ${one.parameters} parameters); split it`)
      )
    expect(wrong).toEqual([])
  })

  test('every export has a doc comment', () => {
    expect(sources.flatMap(undocumentedExports)).toEqual([])
  })
})
