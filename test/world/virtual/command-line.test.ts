import { describe, expect, test } from 'vitest'
import { grep, jq } from '../../../src/world/virtual/commands/filters.ts'
import { commandObstacle, readCommandLine } from '../../../src/world/virtual/commands/command-line.ts'

describe('commandObstacle()', () => {
  test.each([
    'kubectl -n test set image deployment/podinfo podinfod=stefanprodan/podinfo:3.1.1',
    `kubectl -n test patch configmap podinfo-config --type merge -p '{"data":{"A":"second"}}'`,
    'kubectl -n test exec deploy/flagger-loadtester -- curl -s http://podinfo-canary:9898/',
    `curl -sd 'test' http://podinfo-canary.test:9898/token | grep token`,
    'curl -s http://podinfo:9898/ | jq -r .version',
    'hey -z 2m -q 10 -c 2 http://podinfo-canary.test:9898/',
    'watch -n 1 curl http://podinfo-canary.test:9898/status/500'
  ])('none: %s', (command) => {
    expect(commandObstacle(command)).toBeUndefined()
  })

  test.each([
    ['for i in $(seq 1 400); do curl -s http://a/; done', `the shell's "for"`],
    ['curl http://a/ && curl http://b/', '"&&" in a command'],
    ['curl http://a/ > file', '">" in a command'],
    ['curl "http://$HOST/"', 'a variable or a substitution in a command'],
    ['ghz --insecure podinfo:9898', 'the command "ghz"'],
    ['curl http://a/ | sort', 'the command "sort"'],
    ['curl http://a/ | jq ".[] | select(.a)"', 'a jq filter that is more than a path'],
    ['kubectl get pods', 'kubectl get'],
    ['kubectl rollout status deployment/a', 'kubectl rollout status'],
    ["curl 'http://a/", 'a quote that is not closed']
  ])('%s → %s', (command, obstacle) => {
    expect(commandObstacle(command)).toBe(obstacle)
  })
})

describe('readCommandLine()', () => {
  test('joins quoted and plain parts to words and splits at pipes', () => {
    expect(readCommandLine(`curl -d '{"a": 1}' http://x/?a=b\\ c"d e" | grep -i "x y"`)).toEqual({
      ok: true,
      pipe: [
        ['curl', '-d', '{"a": 1}', 'http://x/?a=b cd e'],
        ['grep', '-i', 'x y']
      ]
    })
  })
})

describe('grep() and jq()', () => {
  test('grep keeps lines and says by its exit code whether there were any', () => {
    expect(grep(['-c', 'a+'], 'a+\naa\n')).toEqual({ exitCode: 0, stdout: '1\n', stderr: '' })
    expect(grep(['-E', 'a+'], 'a\nb\n').stdout).toBe('a\n')
    expect(grep(['-q', 'x'], 'a\n').exitCode).toBe(1)
    expect(grep(['-o', '[0-9]*%'], 'rate 12% of 7%\n').stdout).toBe('12%\n7%\n')
  })

  test('jq follows a path', () => {
    const input = '{"a":{"b":["x",null]}}'
    expect(jq(['-r', '.a.b[0]'], input).stdout).toBe('x\n')
    expect(jq(['-e', '.a.b[1]'], input).exitCode).toBe(1)
    expect(jq(['.'], 'no json').exitCode).toBe(2)
  })
})
