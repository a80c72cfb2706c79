import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createLogBook, type LogLine } from '../../../src/world/embedded/log-book.ts'

describe('createLogBook()', () => {
  it('gives the lines of an app with the time at which it wrote them', () => {
    let now = 1000
    const lines: LogLine[] = [{ at: 5, text: 'first' }]
    const book = createLogBook({ now: () => now }, () => lines)
    now = 90_000
    lines.push({ at: 80_000, text: 'second' })
    book.write('test', 'web', 'app', 'own')
    expect(book.read('test', 'web', 'app')).toEqual([
      { at: 90_000, text: 'own' },
      { at: 5, text: 'first' },
      { at: 80_000, text: 'second' }
    ])
  })

  it('follows a log whose oldest lines go as new ones come', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const lines: LogLine[] = [
      { at: 1, text: 'a' },
      { at: 2, text: 'b' }
    ]
    const seen: string[] = []
    const book = createLogBook({ now: () => 0 }, () => lines)
    const leave = book.follow('test', 'web', 'app', (line) => seen.push(line.text))
    lines.push({ at: 3, text: 'c' })
    lines.shift()
    await vi.advanceTimersByTimeAsync(200)
    lines.push({ at: 4, text: 'd' })
    lines.splice(0, 2)
    await vi.advanceTimersByTimeAsync(200)
    lines.splice(0, Infinity, { at: 9, text: 'again' })
    await vi.advanceTimersByTimeAsync(200)
    leave()
    expect(seen).toEqual(['c', 'd', 'again'])
  })
})
