import { type Labels, METRIC_NAME, type Shape } from './labels.ts'

/** Label that tells the buckets of a histogram apart. */
export const BUCKET_LABEL = 'le'

/**
 * What the label sets of one target's metrics have in common. Sets made from one base share their list of names, and each
 * costs one copy of the values.
 */
export class LabelBase {
  readonly #base: Labels
  readonly #plain: Shape
  #bucket: Shape | undefined

  /** @param base - a set with neither a metric name nor a bucket bound */
  constructor(base: Labels) {
    this.#base = base
    this.#plain = shapeOf(base, [METRIC_NAME])
  }

  /** Whether sets can be made from that one. */
  static fits(labels: Labels): boolean {
    return !labels.has(METRIC_NAME) && !labels.has(BUCKET_LABEL)
  }

  /** The base with a metric name and, for a bucket, its bound. */
  named(name: string, bound?: string): Labels {
    if (bound === undefined) return this.#base.spliced(this.#plain, [name])
    this.#bucket ??= shapeOf(this.#base, [METRIC_NAME, BUCKET_LABEL])
    return this.#base.spliced(this.#bucket, [name, bound])
  }
}

/** @param added - names that the base does not have, ascending */
function shapeOf(base: Labels, added: readonly string[]): Shape {
  const names: string[] = []
  const sources: number[] = []
  let own = 0
  let put = 0
  while (own < base.size || put < added.length) {
    const left = base.names[own]
    const right = added[put]
    const isOwn = left !== undefined && (right === undefined || left < right)
    names.push((isOwn ? left : right) ?? '')
    sources.push(isOwn ? own++ : -1 - put++)
  }
  return { names, sources }
}
