import type { z } from 'zod'
import type { Problem } from './problem.ts'
import { scenarioJsonSchema } from './json-schema.ts'
import { type NodePath, problemAt, type SourceDocument } from './source.ts'
import { suggest } from './suggestion.ts'

type Issue = z.core.$ZodIssue

/** Keys that had another name in an earlier draft or in a sister tool, with the name they have here. */
const RENAMED: Readonly<Record<string, string>> = {
  files: 'manifests',
  resources: 'manifests',
  expectations: 'expect',
  assert: 'expect',
  versions: 'images',
  traffic: 'load',
  loads: 'load',
  cmd: 'run',
  command: 'run',
  script: 'run'
}

/** Turns what the schema found into problems with places in the file. */
export function schemaProblems(source: SourceDocument, issues: readonly Issue[]): Problem[] {
  const problems = issues.flatMap((issue) => issueProblems(source, issue, []))
  // A misspelt key makes a second complaint of what is missing then; the first one is enough.
  const misspelt = problems.filter((problem) => problem.message.startsWith('unknown key'))
  return problems.filter((problem) => misspelt.includes(problem) || !misspelt.some((cause) => explains(cause, problem)))
}

function explains(cause: Problem, problem: Problem): boolean {
  const owner = cause.message.replace(/^unknown key ".*" in /, '')
  const wanted = /"([^"]+)"/.exec(cause.fix ?? '')?.[1] ?? ''
  if (problem.message === `${owner === 'the document' ? wanted : `${owner}.${wanted}`}: is missing`) return true
  return problem.message.startsWith(`${owner}: expected`)
}

function issueProblems(source: SourceDocument, issue: Issue, prefix: NodePath): Problem[] {
  const path = [...prefix, ...issue.path.filter((key) => typeof key !== 'symbol')]
  if (issue.code === 'invalid_union') {
    const branch = nearestBranch(issue.errors)
    // Of a value that is not there every branch complains alike.
    if (branch !== undefined && source.document.hasIn([...path]))
      return branch.flatMap((inner) => issueProblems(source, inner, path))
  }
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey(source, path, key))
  }
  return [
    problemAt(source, path, {
      message: `${spell(path)}: ${issueText(source, issue, path)}`,
      fix: issueFix(issue, source, path)
    })
  ]
}

/** The branch that came nearest: the one whose first complaint lies deepest, and is not about the type of the whole. */
function nearestBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const depth = (branch: readonly Issue[]): number => {
    const first = branch[0]
    if (first === undefined) return -1
    if (first.code === 'invalid_type' && first.path.length === 0) return -1
    return first.path.length + (first.code === 'custom' ? 1 : 0)
  }
  const best = branches.toSorted((left, right) => depth(right) - depth(left))[0]
  return best === undefined || depth(best) < 0 ? undefined : best
}

function unknownKey(source: SourceDocument, path: NodePath, key: string): Problem {
  const known = knownKeys(path)
  const renamed = RENAMED[key]
  const fix = renamed !== undefined && known.includes(renamed) ? `it is called "${renamed}" here` : suggest(key, known)
  return problemAt(source, path, { message: `unknown key "${key}" in ${spell(path)}`, fix, key })
}

function issueText(source: SourceDocument, issue: Issue, path: NodePath): string {
  if (isMissing(source, issue, path)) return 'is missing'
  const actual = source.document.getIn([...path])
  if (issue.code === 'invalid_type') return `expected ${article(issue.expected)}, got ${describe(actual)}`
  if (issue.code === 'invalid_value')
    return `expected ${issue.values.map((value) => `"${String(value)}"`).join(' or ')}`
  if (issue.code === 'invalid_union') return `expected ${unionText(issue.errors)}, got ${describe(actual)}`
  if (issue.code === 'too_small') return `too small: at least ${String(issue.minimum)}`
  if (issue.code === 'too_big') return `too big: at most ${String(issue.maximum)}`
  return issue.message
}

function issueFix(issue: Issue, source: SourceDocument, path: NodePath): string | undefined {
  if (issue.code === 'invalid_value') {
    const actual = source.document.getIn([...path])
    return typeof actual === 'string' ? suggest(actual, issue.values.map(String)) : undefined
  }
  return isMissing(source, issue, path) ? `add ${spell(path)}` : undefined
}

function isMissing(source: SourceDocument, issue: Issue, path: NodePath): boolean {
  return (issue.code === 'invalid_type' || issue.code === 'invalid_union') && !source.document.hasIn([...path])
}

/** What the branches of a union would take, in words. */
function unionText(branches: readonly (readonly Issue[])[]): string {
  const words = branches.flatMap(([first]) => (first?.code === 'invalid_type' ? [article(first.expected)] : []))
  return words.length === 0 ? 'another value' : [...new Set(words)].join(' or ')
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  object: 'a map',
  record: 'a map',
  array: 'a list',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false'
}

function article(type: string): string {
  return TYPE_WORDS[type] ?? type
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (typeof value === 'object') return 'items' in value && 'flow' in value ? 'a map or list' : 'a map'
  return `${article(typeof value)} (${JSON.stringify(value)})`
}

/** A path as people write it: `spec.steps[2].run`. */
export function spell(path: NodePath): string {
  if (path.length === 0) return 'the document'
  return path.map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? key : `.${key}`)).join('')
}

/** Keys that may stand in the map at a path, read from the published schema. */
function knownKeys(path: NodePath): readonly string[] {
  let nodes: SchemaNode[] = [scenarioJsonSchema()]
  const root = nodes[0]
  for (const key of path) nodes = nodes.flatMap((node) => children(expand(node, root), key))
  const keys = nodes.flatMap((node) => expand(node, root)).flatMap((node) => Object.keys(node.properties ?? {}))
  return [...new Set(keys)]
}

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly items?: SchemaNode
  readonly additionalProperties?: SchemaNode | boolean
  readonly anyOf?: readonly SchemaNode[]
  readonly allOf?: readonly SchemaNode[]
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, SchemaNode>>
}

/** A node with its references and alternatives followed, at most a few levels. */
function expand(node: SchemaNode, root: SchemaNode | undefined, depth = 0): SchemaNode[] {
  if (depth > 8) return []
  const referenced = node.$ref === undefined ? undefined : root?.$defs?.[node.$ref.replace('#/$defs/', '')]
  const next = [...(referenced === undefined ? [] : [referenced]), ...(node.anyOf ?? []), ...(node.allOf ?? [])]
  return [node, ...next.flatMap((inner) => expand(inner, root, depth + 1))]
}

function children(nodes: readonly SchemaNode[], key: string | number): SchemaNode[] {
  return nodes.flatMap((node) => {
    if (typeof key === 'number') return node.items === undefined ? [] : [node.items]
    const property = node.properties?.[key]
    if (property !== undefined) return [property]
    return typeof node.additionalProperties === 'object' ? [node.additionalProperties] : []
  })
}
