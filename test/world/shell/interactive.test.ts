import { describe, expect, it } from 'vitest'
import { openInteractiveShell, type WorldShell } from '../../../src/world/shell/index.ts'

/** A shell whose commands answer with their own text; `wait` goes on until it is ended. */
const shell: WorldShell = {
  run: (command, options) =>
    command === 'wait'
      ? new Promise((resolve) => {
          options.signal?.addEventListener('abort', () => resolve({ exitCode: 130, stdout: '', stderr: '' }))
        })
      : Promise.resolve({ exitCode: command === 'false' ? 1 : 0, stdout: `ran ${command}\n`, stderr: '' }),
  exec: () => Promise.resolve({ exitCode: 0, stdout: '', stderr: '' })
}

describe('openInteractiveShell()', () => {
  it('runs piped lines one after the other and ends with the last exit code', async () => {
    let output = ''
    const session = openInteractiveShell(shell, {
      place: { kind: 'terminal' },
      tty: false,
      onOutput: (chunk) => (output += chunk)
    })
    session.write('one\nfal')
    session.write('se\n')
    session.end()
    expect([await session.exited, output]).toEqual([1, 'ran one\nran false\n'])
  })

  it('echoes, prompts, ends a running command on ^C and itself on exit', async () => {
    let output = ''
    const session = openInteractiveShell(shell, {
      place: { kind: 'terminal' },
      tty: true,
      onOutput: (chunk) => (output += chunk)
    })
    session.write('wait\r')
    session.write('\u0003')
    await new Promise((resolve) => setImmediate(resolve))
    session.write('twx\u007fo\rexit 3\r')
    expect(await session.exited).toBe(3)
    expect(output).toBe('/ $ wait\r\n^C\r\n/ $ twx\b \bo\r\nexit 3\r\nran two\r\n/ $ ')
  })
})
