import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LinkerdError, type LinkerdWords, parseLinkerd } from '../../../src/model/viz/index.ts'

function parse(text: string): LinkerdWords {
  return parseLinkerd(text.split(' ').filter((word) => word !== ''))
}

function problem(text: string): string {
  try {
    parse(text)
  } catch (error) {
    if (error instanceof LinkerdError) return error.message
    throw error
  }
  throw new Error(`linkerd ${text} was read`)
}

function outcome(words: readonly string[]): string {
  try {
    return parseLinkerd(words).command
  } catch (error) {
    if (error instanceof LinkerdError) return 'refused'
    throw error
  }
}

const STAT = { resources: ['deploy'], allNamespaces: false, unmeshed: false, timeWindow: '1m', output: 'table' }

describe('parseLinkerd()', () => {
  test('reads stat with flags before and behind the words, with and without viz', () => {
    const flags = { ...STAT, namespace: 'test', from: 'deploy/load' }
    const wanted = { command: 'stat', cluster: {}, flags }
    expect(parse('-n test stat deploy --from deploy/load')).toEqual(wanted)
    expect(parse('viz stat deploy --from=deploy/load -ntest')).toEqual(wanted)
    expect(parse('viz -n=test stat --from deploy/load deploy')).toEqual(wanted)
    expect(parse('stat --namespace test --from deploy/load -- deploy')).toEqual(wanted)
  })

  test('reads every flag of stat', () => {
    const text =
      'stat po --to svc/web --to-namespace shop -At 30s -o wide -l app=web --unmeshed --context twin --kubeconfig a/b'
    expect(parse(text)).toEqual({
      command: 'stat',
      cluster: { context: 'twin', kubeconfig: 'a/b' },
      flags: {
        resources: ['po'],
        allNamespaces: true,
        unmeshed: true,
        timeWindow: '30s',
        output: 'wide',
        to: 'svc/web',
        toNamespace: 'shop',
        selector: 'app=web'
      }
    })
  })

  test('reads dashboard; its port is 50750', () => {
    expect(parse('dashboard')).toEqual({ command: 'dashboard', cluster: {}, flags: { port: 50_750, show: 'linkerd' } })
    expect(parse('viz dashboard -p 0 --show url')).toMatchObject({ flags: { port: 0, show: 'url' } })
  })

  test('reads check and install, whose output kubectl can apply', () => {
    expect(parse('check --pre')).toEqual({ command: 'check', cluster: {}, pre: true })
    expect(parse('viz check')).toEqual({ command: 'check', cluster: {}, pre: false })
    for (const [text, namespace] of [
      ['install --crds', 'linkerd'],
      ['viz install', 'linkerd-viz'],
      ['smi install', 'linkerd-smi']
    ] as const) {
      const given = parse(text)
      expect(given.command === 'install' && given.text).toMatch(
        new RegExp(`^kind: Namespace\nmetadata:\n  name: ${namespace}\n$`, 'm')
      )
    }
  })

  test('prints help for no words, for help and with --help', () => {
    for (const text of ['', 'help', '--help', 'stat -h', 'viz dashboard --help']) {
      const given = parse(text)
      expect(given.command).toBe('help')
      expect(given.command === 'help' && given.text).toContain('linkerd [viz] stat [flags] (RESOURCES)')
    }
  })

  test.each([
    ['stat', 'requires at least 1 arg(s), only received 0'],
    ['stat deploy --form deploy/load', 'unknown flag: --form'],
    ['stat deploy -x', "unknown shorthand flag: 'x' in -x"],
    ['stat deploy -n', "flag needs an argument: 'n' in -n"],
    ['stat deploy --from', 'flag needs an argument: --from'],
    ['stat deploy --port 1', 'unknown flag: --port'],
    ['dashboard -n test', 'unknown flag: --namespace'],
    ['dashboard --port many', 'invalid argument "many" for "-p, --port" flag: expected a port from 0 to 65535'],
    ['dashboard --port 65536', 'invalid argument "65536" for "-p, --port" flag: expected a port from 0 to 65535'],
    ['dashboard --show tea', "unknown value for 'show' param, was: tea, must be one of: linkerd, url"],
    ['dashboard --show grafana', '--show grafana: the twin has no Grafana'],
    ['dashboard now', 'unknown command "now" for "linkerd dashboard"'],
    ['sat deploy', 'unknown command "sat" for "linkerd"'],
    ['check deploy', 'unknown command "deploy" for "linkerd check"'],
    ['install --pre', 'unknown flag: --pre'],
    ['viz install --ha', 'unknown flag: --ha'],
    ['viz tap deploy/web', 'linkerd tap is not modelled by the twin: requests are not kept one by one']
  ])('refuses linkerd %s', (text, message) => {
    expect(problem(text)).toBe(message)
  })

  test('ends any words with an outcome or a LinkerdError', () => {
    const word = fc.oneof(
      fc.constantFrom('stat', 'dashboard', 'viz', 'deploy', '-n', '-A', '--from', '--', '-', '--from=', '-o=json', ''),
      fc.string()
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (words) => {
        expect(['help', 'stat', 'dashboard', 'check', 'install', 'refused']).toContain(outcome(words))
      }),
      { seed: 7, numRuns: 500 }
    )
  })
})
