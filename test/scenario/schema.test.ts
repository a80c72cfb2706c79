import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { loadScenarioFile, scenarioJsonSchema } from '../../src/scenario/index.ts'
import { discoverFiles } from '../../src/run/index.ts'

const projectRoot = resolve(import.meta.dirname, '..', '..')

test('scenarios/scenario.schema.json is what the schema in the code says; renew it with `npm run twin -- schema --write`', () => {
  const published: unknown = JSON.parse(readFileSync(join(projectRoot, 'scenarios', 'scenario.schema.json'), 'utf8'))
  expect(published).toEqual(scenarioJsonSchema())
})

test('every scenario of the repository is valid and names its schema', () => {
  for (const file of discoverFiles([join(projectRoot, 'scenarios'), join(projectRoot, 'fixtures', 'harness')])) {
    expect(loadScenarioFile(file).problems, file).toEqual([])
    expect(readFileSync(file, 'utf8'), file).toMatch(/^# yaml-language-server: \$schema=\S*scenario\.schema\.json$/m)
  }
})
