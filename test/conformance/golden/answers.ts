import type { HttpOutcome } from '../../../src/world/controller/index.ts'
import type { MetricAnswer, WebhookAnswer } from './case.ts'

/** Timestamp of every sample. */
const SAMPLE_SECONDS = 1_767_225_600

/** A list of answers of which the last repeats. */
export class AnswerList<Answer> {
  readonly #answers: readonly Answer[]
  /** What was to come at each position, where somebody has asked. */
  readonly #rests: Map<number, string>
  #next = 0

  /** @param taken - answers given already */
  constructor(answers: readonly Answer[], taken: number = 0, rests: Map<number, string> = new Map()) {
    this.#answers = answers
    this.#next = taken
    this.#rests = rests
  }

  /** Where the list stands: further than its last answer makes no difference. */
  get position(): number {
    return Math.max(0, Math.min(this.#next, this.#answers.length - 1))
  }

  /** The same list at the same place, apart from this one. */
  copy(): AnswerList<Answer> {
    return new AnswerList(this.#answers, this.position, this.#rests)
  }

  /** What is still to come, as text. */
  rest(): string {
    const { position } = this
    const known = this.#rests.get(position)
    if (known !== undefined) return known
    const rest = JSON.stringify(this.#answers.slice(position))
    this.#rests.set(position, rest)
    return rest
  }

  /** The next answer. */
  take(): Answer | undefined {
    const answer = this.#answers[Math.min(this.#next, this.#answers.length - 1)]
    this.#next++
    return answer
  }
}

/** Prometheus' HTTP answer for a scripted answer. */
export function prometheusAnswer(answer: MetricAnswer): Extract<HttpOutcome, { ok: true }> {
  if (typeof answer === 'object' && 'status' in answer) return http(answer.status, answer.body)
  const data = resultOf(answer)
  const type = typeof answer === 'object' ? (Object.keys(answer)[0] ?? 'vector') : 'vector'
  return http(200, JSON.stringify({ data: { result: data, resultType: type }, status: 'success' }))
}

/** A webhook's HTTP answer and its delay. */
export function webhookAnswer(answer: WebhookAnswer): {
  readonly delayMs: number
  readonly outcome: Extract<HttpOutcome, { ok: true }>
} {
  if (typeof answer === 'number') return { delayMs: 0, outcome: http(answer, '') }
  const headers = Object.fromEntries(
    Object.entries(answer.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value])
  )
  return { delayMs: answer.delayMs ?? 0, outcome: { ...http(answer.status, answer.body ?? ''), headers } }
}

function resultOf(answer: Exclude<MetricAnswer, { status: number }>): unknown {
  if (answer === 'empty') return []
  if (typeof answer !== 'object') return [series(answer)]
  if ('vector' in answer) return answer.vector.map(series)
  if ('matrix' in answer) return [{ metric: {}, values: [[SAMPLE_SECONDS, answer.matrix]] }]
  return [SAMPLE_SECONDS, answer.scalar]
}

function series(value: number | string): unknown {
  return { metric: {}, value: [SAMPLE_SECONDS, String(value)] }
}

function http(status: number, body: string): Extract<HttpOutcome, { ok: true }> {
  return { ok: true, status, body, headers: {} }
}
