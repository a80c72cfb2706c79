import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { formatProblem, loadScenarioFile, type ResolvedScenario } from '../../src/scenario/index.ts'
import { folderOf, MANIFESTS, scenarioText } from './folder.ts'

function load(scenario: string, files: Readonly<Record<string, string>> = {}): ReturnType<typeof loadScenarioFile> {
  const folder = folderOf({ 'manifests.yaml': MANIFESTS, 'scenario.yaml': scenario, ...files })
  return loadScenarioFile(join(folder, 'scenario.yaml'))
}

/** Messages with the folder's name taken off. */
function problems(scenario: string, files: Readonly<Record<string, string>> = {}): string[] {
  return load(scenario, files).problems.map((problem) => formatProblem(problem).replaceAll(/\/\S*\/(?=\w+\.yaml)/g, ''))
}

function onlyCase(scenario: string, files: Readonly<Record<string, string>> = {}): ResolvedScenario {
  const loaded = load(scenario, files)
  expect(loaded.problems.map(formatProblem)).toEqual([])
  const [only] = loaded.cases
  if (only === undefined) throw new Error('no case')
  return only
}

const replace =
  (from: string, to: string): ((text: string) => string) =>
  (text) => {
    expect(text).toContain(from)
    return text.replace(from, to)
  }

describe('loadScenarioFile() reads', () => {
  test('a scenario completely: units resolved, defaults filled in', () => {
    const scenario = onlyCase(scenarioText())
    expect(scenario).toMatchObject({
      name: 'promote',
      seed: 1,
      timeoutMs: 3_600_000,
      mesh: { provider: 'linkerd', adminTraffic: true },
      load: [
        { name: 'users', ratePerSecond: 20, arrivals: 'constant', method: 'GET', namespace: 'load', timeoutMs: 10_000 }
      ],
      steps: [
        { kind: 'wait', condition: { phase: ['Initialized'] } },
        { kind: 'run', exitCode: 0, background: false }
      ]
    })
    expect(scenario.images['stefanprodan/podinfo:3.1.1']).toEqual({
      app: 'podinfo',
      version: '3.1.1',
      options: {},
      faults: [{ kind: 'status', status: 500, ratio: 0.5, match: {} }]
    })
    expect(scenario.expect[0]).toMatchObject({
      kind: 'sequence',
      items: [{}, {}, {}, { milestone: 'halt success-rate', times: { min: 3, max: 3 } }, {}, {}]
    })
    expect(scenario.manifests.map((object) => object.kind)).toEqual(['Deployment', 'Canary'])
  })

  test('a matrix as one case per combination, with parameters put in where they stand', () => {
    const text = scenarioText((raw) =>
      raw
        .replace('spec:\n', 'spec:\n  params: { host: podinfo.test }\n  matrix: { rate: [5, 20], ratio: [1/2, 5%] }\n')
        .replace('to: http://podinfo.test:9898/', 'to: "http://${{ params.host }}:9898/"')
        .replace('rate: 20/s', 'rate: "${{ params.rate }}"')
        .replace('ratio: 1/2', 'ratio: "${{ params.ratio }}"')
    )
    const { cases, problems: found } = load(text)
    expect(found).toEqual([])
    expect(cases.map((one) => one.name)).toEqual([
      'promote[rate=5,ratio=1/2]',
      'promote[rate=5,ratio=5%]',
      'promote[rate=20,ratio=1/2]',
      'promote[rate=20,ratio=5%]'
    ])
    expect(cases.map((one) => one.load[0]?.ratePerSecond)).toEqual([5, 5, 20, 20])
    expect(cases[1]?.images['stefanprodan/podinfo:3.1.1']?.faults).toMatchObject([{ ratio: 0.05 }])
    expect(new Set(cases.map((one) => one.inputsDigest)).size).toBe(4)
  })

  test('faults, distributions and scheduled steps', () => {
    const scenario = onlyCase(
      scenarioText((raw) =>
        raw
          .replace(
            '{ status: 500, ratio: 1/2 }',
            '{ delay: { median: 5ms, sigma: 0.3 }, path: /slow*, header: "x-user: me" }, { crash: true }, { notReady: { after: 1m } }'
          )
          .replace(
            '  expect:',
            '    - at: { weight: 10 }\n      do: [{ note: half way }, { faults: { "stefanprodan/podinfo:3.1.0": [{ reset: true }] } }]\n    - every: 1s\n      times: 3\n      until: { phase: Failed }\n      do: [{ run: curl podinfo.test, exitCode: any, name: look }]\n  expect:'
          )
      )
    )
    expect(scenario.images['stefanprodan/podinfo:3.1.1']?.faults).toEqual([
      {
        kind: 'delay',
        delay: { kind: 'lognormal', medianMs: 5, sigma: 0.3 },
        ratio: 1,
        match: { path: '/slow*', header: { name: 'x-user', value: 'me' } }
      },
      { kind: 'crash', afterMs: 0, exitCode: 2 },
      { kind: 'not-ready', afterMs: 60_000 }
    ])
    expect(scenario.steps.slice(2)).toMatchObject([
      { kind: 'at', condition: { weight: { is: { value: 10 } } }, steps: [{ kind: 'note' }, { kind: 'faults' }] },
      { kind: 'every', ms: 1000, times: 3, until: { phase: ['Failed'] }, steps: [{ name: 'look', exitCode: 'any' }] }
    ])
  })

  test('folders as kubectl does: files in order, scenarios left out, kustomizations built', () => {
    const kustomization = [
      'namespace: shop',
      'resources: [manifests.yaml]',
      'images: [{ name: stefanprodan/podinfo, newTag: 3.1.1 }]',
      'patches:',
      '  - patch: |-',
      '      apiVersion: apps/v1',
      '      kind: Deployment',
      '      metadata: { name: podinfo }',
      '      spec: { template: { spec: { containers: [{ name: podinfod, env: [{ name: A, value: b }] }] } } }',
      '  - target: { kind: Canary }',
      '    patch: "[{ op: replace, path: /spec/service/port, value: 80 }]"'
    ].join('\n')
    const text = scenarioText(replace('[manifests.yaml]', '[plain/, built/]')).replace('podinfo.test:', 'podinfo.shop:')
    const scenario = onlyCase(text, {
      'plain/b.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: { name: b }\n',
      'plain/a.json':
        '{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a"}}]}',
      'plain/scenario.yaml': scenarioText(),
      'built/kustomization.yaml': kustomization,
      'built/manifests.yaml': MANIFESTS
    })
    expect(
      scenario.manifests.map((object) => `${object.kind} ${object.metadata.namespace ?? ''}/${object.metadata.name}`)
    ).toEqual(['Namespace /a', 'Namespace /b', 'Deployment shop/podinfo', 'Canary shop/podinfo'])
    expect(scenario.manifests[2]?.spec).toMatchObject({
      template: { spec: { containers: [{ image: 'stefanprodan/podinfo:3.1.1', env: [{ name: 'A', value: 'b' }] }] } }
    })
    expect(scenario.manifests[3]?.spec).toMatchObject({ service: { port: 80 } })
  })
})

describe('loadScenarioFile() names file, line, column, text and fix for', () => {
  test('an unknown key', () => {
    expect(problems(scenarioText(replace('  manifests:', '  manifest:')))).toEqual([
      'scenario.yaml:5:3: unknown key "manifest" in spec\n  5 |   manifest: [manifests.yaml]\n    |   ^^^^^^^^\n  did you mean "manifests"?'
    ])
  })

  test('a wrong type', () => {
    expect(problems(scenarioText(replace('rate: 20/s', 'rate: fast')))[0]).toMatch(
      /^scenario\.yaml:10:59: spec\.load\[0\]\.rate: expected a rate such as 20\/s or 600\/m\n.*\n.*\^\^\^\^$/
    )
    expect(problems(scenarioText(replace('[manifests.yaml]', '7')))[0]).toContain(
      'scenario.yaml:5:14: spec.manifests: expected a list, got a number (7)'
    )
  })

  test('a missing value', () => {
    expect(problems(scenarioText(replace('  images:\n', '  image:\n')))[0]).toContain('did you mean "images"?')
    expect(problems(scenarioText(replace('app: podinfo, faults', 'version: 2, faults')))[0]).toContain(
      'spec.images.stefanprodan/podinfo:3.1.1.app'
    )
  })

  test('a wrong word of a closed list', () => {
    expect(problems(scenarioText(replace('phase: Initialized', 'phase: Initialised')))[0]).toContain(
      'did you mean "Initialized"?'
    )
    expect(problems(scenarioText(replace('weight 10,', 'wieght 10,')))[0]).toMatch(/no milestone is called "wieght 10"/)
  })

  test('a step that says two things, or nothing', () => {
    expect(problems(scenarioText(replace('- wait: {', '- note: x\n      wait: {')))[0]).toContain(
      'spec.steps[0]: expected exactly one of wait, run, note'
    )
    expect(problems(scenarioText(replace('    - run: kubectl', '    - every: 1s\n    - run: kubectl')))[0]).toContain(
      'every needs do: the steps to take then'
    )
  })

  test('a missing manifest', () => {
    const [first] = load(scenarioText(replace('[manifests.yaml]', '[manifest.yaml]'))).problems
    expect(first).toMatchObject({
      code: 'TWIN_FILE_MISSING',
      fix: 'did you mean "manifests.yaml"?',
      place: { line: 5, column: 15 }
    })
  })

  test('an unknown image, at the place in the manifest', () => {
    const [first] = load(scenarioText(replace('podinfo:3.1.0: {', 'podinfo:3.0.0: {'))).problems
    expect(first).toMatchObject({ code: 'TWIN_IMAGE_UNKNOWN', place: { line: 11, column: 18 } })
    expect(first?.message).toContain(
      'image "stefanprodan/podinfo:3.1.0" of Deployment test/podinfo has no entry in spec.images'
    )
  })

  test('a canary without service.port', () => {
    const files = { 'manifests.yaml': MANIFESTS.replace('{ port: 9898 }', '{ name: podinfo }') }
    expect(problems(scenarioText(), files)[0]).toMatch(
      /^manifests\.yaml:18:12: Canary test\/podinfo has no spec\.service\.port/
    )
  })

  test('invalid PromQL of a MetricTemplate and of an inline query', () => {
    const template = (query: string): string =>
      `apiVersion: flagger.app/v1beta1\nkind: MetricTemplate\nmetadata: { name: errors }\nspec:\n  provider: { type: prometheus }\n  query: '${query}'\n`
    const both = (query: string): string[] =>
      problems(scenarioText(replace('[manifests.yaml]', '[manifests.yaml, template.yaml]')), {
        'template.yaml': template(query)
      })
    expect(both('sum(rate(errors_total{ns="{{ namespace }}"}[{{ interval }}])) by (pod)')).toEqual([])
    expect(both('sum(rate(errors_total{ns="{{ namespace }}"}[{{ interval }}]')[0]).toMatch(
      /^template\.yaml:6:\d\d: invalid PromQL in MetricTemplate errors: .*line 1, column/
    )
    const inline = MANIFESTS.replace('maxWeight: 20', 'maxWeight: 20, metrics: [{ name: x, query: "sum(" }]')
    expect(problems(scenarioText(), { 'manifests.yaml': inline })[0]).toContain('invalid PromQL in Canary test/podinfo')
  })

  test('a query in a block at its own line of the file, and a name the template does not know', () => {
    const template = (query: string): Record<string, string> => ({
      'template.yaml': `apiVersion: flagger.app/v1beta1\nkind: MetricTemplate\nmetadata: { name: errors }\nspec:\n  provider: { type: prometheus }\n  query: |\n    sum(\n      ${query}\n    )\n`
    })
    const text = scenarioText(replace('[manifests.yaml]', '[manifests.yaml, template.yaml]'))
    expect(problems(text, template('rate(errors_total[1x])'))[0]).toMatch(/^template\.yaml:8:\d+: invalid PromQL/)
    expect(problems(text, template('rate(errors_total{ns="{{ namespac }}"}[1m])'))[0]).toMatch(
      /^template\.yaml:8:29: [^]*the template knows no "namespac"[^]*did you mean "namespace"\?$/
    )
  })

  test('a mesh provider that is not modelled; the short names stand for the versions the controller knows', () => {
    const mesh = (provider: string): string =>
      scenarioText(replace('  images:', `  mesh: { provider: ${provider} }\n  images:`))
    expect(problems(mesh('linkrd'))[0]).toMatch(
      /^scenario\.yaml:6:21: the mesh provider "linkrd" is not modelled\n[^]*did you mean "linkerd"\?$/
    )
    expect(problems(mesh('istio'))[0]).toContain('known here: gatewayapi, ')
    expect(onlyCase(mesh('gatewayapi')).mesh.provider).toBe('gatewayapi:v1')
  })

  test('a canary and a Service that nothing makes, unless a step may make them', () => {
    const waiting = scenarioText(replace('{ phase: Initialized }', '{ canary: podinfoo.test, phase: Initialized }'))
    expect(problems(waiting)[0]).toMatch(
      /^scenario\.yaml:12:23: no Canary "podinfoo\.test" is in the manifests\n[^]*did you mean "podinfo\.test"\?$/
    )
    const loaded = scenarioText(replace('http://podinfo.test:9898/', 'http://podinfo.tset:9898/'))
    expect(problems(loaded)[0]).toMatch(
      /^scenario\.yaml:10:26: no Service "podinfo\.tset" is in the manifests[^]*did you mean "podinfo\.test"\?$/
    )
    expect(problems(scenarioText(replace('http://podinfo.test:9898/', 'http://podinfo-canary:9898/')))).toHaveLength(1)
    expect(problems(waiting.replace('kubectl -n test set image', 'kubectl apply -f - # set image'))).toEqual([])
  })

  test('a missing value that could be of several types is missing, nothing else', () => {
    expect(problems(scenarioText(replace(', rate: 20/s', '')))[0]).toMatch(
      /^scenario\.yaml:10:7: spec\.load\[0\]\.rate: is missing/
    )
    expect(problems(scenarioText(replace('rate: 20/s', 'rate: [1]')))[0]).toContain('expected a number or text')
  })

  test('a YAML bomb', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcde'.split('').map((key, index) => `${key}: &${key} [${Array(9).fill(`*${'abcd'[index]}`).join(',')}]`)
    ]
    expect(problems(`apiVersion: twin/v1alpha1\n${bomb.join('\n')}\n`)[0]).toContain(
      'aliases multiply the document beyond 100 copies'
    )
  })

  test('YAML that is none, nesting without end, a file too large', () => {
    expect(problems('apiVersion: twin/v1alpha1\nkind: [\n')[0]).toMatch(/^scenario\.yaml:\d+:\d+: /)
    expect(problems(`apiVersion: twin/v1alpha1\nkind: ${'['.repeat(200)}${']'.repeat(200)}\n`)[0]).toContain(
      'nesting deeper than 60 levels'
    )
    expect(problems(`apiVersion: twin/v1alpha1\n# ${'x'.repeat(1_100_000)}\n`)[0]).toContain(
      'larger than 1048576 bytes'
    )
    const endless = problems(`apiVersion: twin/v1alpha1\nkind: ${'['.repeat(300_000)}\n`)
    expect(endless).toHaveLength(1)
    expect(endless[0]?.length).toBeLessThan(600)
    expect(problems(`apiVersion: twin/v1alpha1\nkind:\n  ${'- '.repeat(300_000)}\n`)).toHaveLength(1)
  })

  test('an unknown parameter', () => {
    const text = scenarioText((raw) =>
      raw.replace('spec:\n', 'spec:\n  params: { rate: 20 }\n').replace('rate: 20/s', 'rate: "${{ params.rat }}"')
    )
    expect(problems(text)[0]).toMatch(/^scenario\.yaml:11:59: unknown parameter "rat"\n[^]*did you mean "rate"\?$/)
  })

  test('a file that is not there, and one that holds no scenario', () => {
    expect(loadScenarioFile('/nowhere/at/all.yaml').problems).toMatchObject([
      { code: 'TWIN_FILE_MISSING', message: 'no such file' }
    ])
    expect(problems('kind: Pod\n')[0]).toContain('holds no scenario')
  })

  test('two loads of one name and expectations about a load that is not there', () => {
    const twice = scenarioText(
      replace('  steps:', '    - { name: users, to: http://podinfo.test:9898/, rate: 1/s }\n  steps:')
    )
    expect(problems(twice)[0]).toContain('two loads are called "users"')
    const unknown = scenarioText(replace('- never:', '- users: { load: clients, requests: 1 }\n    - never:'))
    expect(problems(unknown)[0]).toContain('no load is called "clients"')
  })
})
