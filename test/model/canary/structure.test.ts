import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { FLAGGER_CRDS } from '../../../src/kinds/crds/index.ts'

const ROOM = join(import.meta.dirname, '../../../src/model/canary')
const LINES_MAX = 40

function read(...path: readonly string[]): string {
  return readFileSync(join(ROOM, ...path), 'utf8')
}

/** Every file of the room by its path within it. */
const FILES: ReadonlyMap<string, string> = new Map(
  readdirSync(ROOM, { recursive: true, encoding: 'utf8' }).flatMap((path) =>
    path.endsWith('.ts') ? [[path, read(path)] as const] : []
  )
)

/** Files that import a file of a folder. */
function importersOf(folder: string, file: string): readonly string[] {
  return [...FILES].flatMap(([path, text]) => {
    const inside = path.startsWith(`${folder}/`) && text.includes(`from './${file}'`)
    return inside || text.includes(`/${folder}/${file}'`) ? [path] : []
  })
}

describe('the room', () => {
  test('has the tick as a table of contents whose steps are numbered in order', () => {
    const body = /function\* advance\(.*?\n}\n/s.exec(read('tick.ts'))?.[0] ?? ''
    expect(body.split('\n').length).toBeLessThanOrEqual(LINES_MAX)
    const called = [...body.matchAll(/steps\.(\w+)/g)].map(([, name]) => name)
    const numbered = [...read('tick-steps.ts').matchAll(/\/\*\* Steps? (\d+)[^\n]*\nexport function\*? (\w+)/g)]
    // The first three open the tick.
    expect(called).toEqual(numbered.map(([, , name]) => name).slice(3))
    const numbers = numbered.map(([, number]) => Number(number))
    expect(numbers).toEqual(numbers.toSorted((left, right) => left - right))
  })

  test.each([
    ['routers', /export function (\w+Router)\b/],
    ['targets', /export function (\w+Target)\b/],
    ['strategies', /export function\* (run\w+)\b/],
    ['notifiers', /export function (\w+Notifier)\b/],
    ['autoscalers', /export function (\w+Scaler)\b/]
  ])('knows each of its %s from its registry alone: adding one takes its file and its line there', (folder, made) => {
    const parts = [...FILES].flatMap(([path, text]) => {
      const name = path.startsWith(`${folder}/`) && !path.endsWith('/registry.ts') ? made.exec(text)?.[1] : undefined
      return name === undefined ? [] : [{ file: path.slice(folder.length + 1), name }]
    })
    expect(parts.length).toBeGreaterThan(1)
    const users = parts.map(({ name }) => [name, usersOf(name).filter((path) => !path.startsWith(`${folder}/`))])
    expect(users).toEqual(parts.map(({ name }) => [name, []]))
    // What several parts share is not registered itself.
    const unknown = parts.filter(({ file }) => importersOf(folder, file).length === 0)
    expect(unknown).toEqual([])
    expect(
      parts.filter(({ file }) => importersOf(folder, file).includes(`${folder}/registry.ts`)).length
    ).toBeGreaterThan(1)
  })

  test('has one file for each type of webhook', () => {
    const crd = JSON.stringify(FLAGGER_CRDS.find(({ metadata }) => metadata.name === 'canaries.flagger.app'))
    const types = /"enum":(\["","confirm-rollout"[^\]]*\])/.exec(crd)?.[1] ?? '[]'
    const wanted = (JSON.parse(types) as string[]).filter((type) => type !== '').map((type) => `${type}.ts`)
    expect(readdirSync(join(ROOM, 'hooks')).toSorted()).toEqual(wanted.toSorted())
  })
})

/** Files that use a name besides the one that declares it. */
function usersOf(name: string): readonly string[] {
  return [...FILES].flatMap(([path, text]) =>
    !path.endsWith('.data.ts') &&
    new RegExp(`\\b${name}\\b`).test(text) &&
    !new RegExp(`function\\*? ${name}\\b`).test(text)
      ? [path]
      : []
  )
}
