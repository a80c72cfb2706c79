/** What a plan wants to know: an object or a list of the Kubernetes API, or a PromQL instant query at now. */
export type VizAsk =
  | { readonly ask: 'api'; readonly path: string; readonly query?: Readonly<Record<string, string>> }
  | { readonly ask: 'query'; readonly expression: string }

/** One series of an instant query's vector. */
export interface VizSample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** The answer to a {@link VizAsk}: a JSON body, the series of a vector, or why there is none. */
export type VizAnswer =
  | { readonly ok: true; readonly body: unknown }
  | { readonly ok: true; readonly samples: readonly VizSample[] }
  | { readonly ok: false; readonly code: number; readonly message: string }

/** Asks several things at once and gets their answers in the same order; a world does the waiting. */
export type VizPlan<T> = Generator<readonly VizAsk[], T, readonly VizAnswer[]>

/** What `linkerd` says on stderr behind `Error: ` before it ends 1. */
export class LinkerdError extends Error {
  override readonly name = 'LinkerdError'
  /** What the API answered, where it did: 404 for what is not there. */
  readonly status: number | undefined

  constructor(message: string, status?: number) {
    super(message)
    this.status = status
  }
}

/** Runs plans side by side: what all of them ask next is asked at once. */
export function* together<T>(plans: readonly VizPlan<T>[]): VizPlan<readonly T[]> {
  const results: T[] = []
  let turns = plans.map((plan, index) => ({ plan, index, asks: begin(plan, index, results) }))
  for (;;) {
    turns = turns.filter((turn) => turn.asks !== undefined)
    if (turns.length === 0) return results
    const answers = yield turns.flatMap((turn) => turn.asks ?? [])
    let from = 0
    turns = turns.map(({ plan, index, asks = [] }) => {
      const own = answers.slice(from, (from += asks.length))
      return { plan, index, asks: settle(plan.next(own), index, results) }
    })
  }
}

function begin<T>(plan: VizPlan<T>, index: number, results: T[]): readonly VizAsk[] | undefined {
  return settle(plan.next([]), index, results)
}

function settle<T>(
  turn: IteratorResult<readonly VizAsk[], T>,
  index: number,
  results: T[]
): readonly VizAsk[] | undefined {
  if (turn.done !== true) return turn.value
  results[index] = turn.value
  return undefined
}

/** Runs a plan with answers that are there at once. */
export function answerPlan<T>(plan: VizPlan<T>, answer: (ask: VizAsk) => VizAnswer): T {
  let turn = plan.next([])
  while (turn.done !== true) turn = plan.next(turn.value.map((ask) => answer(ask)))
  return turn.value
}

/** The body of an API answer. @throws LinkerdError with the API's words */
export function bodyOf(answer: VizAnswer | undefined): unknown {
  if (answer?.ok === true) return 'body' in answer ? answer.body : undefined
  throw new LinkerdError(answer?.message ?? 'no answer', answer?.code)
}

/** The series of a query's answer. @throws LinkerdError with Prometheus' words */
export function samplesOf(answer: VizAnswer | undefined): readonly VizSample[] {
  if (answer?.ok === true) return 'samples' in answer ? answer.samples : []
  throw new LinkerdError(answer?.message ?? 'no answer', answer?.code)
}
