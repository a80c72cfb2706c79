/** Upper bounds of `http_request_duration_seconds`: the Go client's default buckets. */
const BOUNDS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

interface Duration {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly buckets: number[]
  sum: number
  count: number
}

/** podinfo's own metrics. @see stefanprodan/podinfo pkg/api/http/metrics.go 6.14.1 */
export class PodinfoMetrics {
  readonly #durations = new Map<string, Duration>()
  readonly #requests = new Map<number, number>()
  #scrapes = 0

  /** Counts a request that a route answered. @param path - see {@link routeLabel} */
  observe(method: string, path: string, status: number, seconds: number): void {
    const key = `${method} ${path} ${status}`
    let entry = this.#durations.get(key)
    if (entry === undefined) {
      entry = { method, path, status, buckets: BOUNDS.map(() => 0), sum: 0, count: 0 }
      this.#durations.set(key, entry)
    }
    for (let index = 0; index < BOUNDS.length; index++) {
      if (seconds <= (BOUNDS[index] ?? 0)) entry.buckets[index] = (entry.buckets[index] ?? 0) + 1
    }
    entry.sum += seconds
    entry.count += 1
    this.#requests.set(status, (this.#requests.get(status) ?? 0) + 1)
  }

  /** Prometheus text 0.0.4. @param startedAtSeconds - process start */
  render(startedAtSeconds: number): string {
    this.#scrapes += 1
    const lines = [
      '# HELP http_request_duration_seconds Seconds spent serving HTTP requests.',
      '# TYPE http_request_duration_seconds histogram'
    ]
    for (const key of [...this.#durations.keys()].toSorted()) lines.push(...this.#durationLines(key))
    lines.push('# HELP http_requests_total The total number of HTTP requests.', '# TYPE http_requests_total counter')
    for (const [status, count] of [...this.#requests].toSorted((a, b) => a[0] - b[0])) {
      lines.push(`http_requests_total{status="${status}"} ${count}`)
    }
    lines.push(
      '# HELP process_start_time_seconds Start time of the process since unix epoch in seconds.',
      '# TYPE process_start_time_seconds gauge',
      `process_start_time_seconds ${startedAtSeconds}`,
      '# HELP promhttp_metric_handler_requests_total Total number of scrapes by HTTP status code.',
      '# TYPE promhttp_metric_handler_requests_total counter',
      `promhttp_metric_handler_requests_total{code="200"} ${this.#scrapes - 1}`
    )
    return `${lines.join('\n')}\n`
  }

  #durationLines(key: string): readonly string[] {
    const entry = this.#durations.get(key)
    if (entry === undefined) return []
    const labels = `method="${entry.method}",path="${entry.path}",status="${entry.status}"`
    const name = 'http_request_duration_seconds'
    return [
      ...BOUNDS.map((bound, index) => `${name}_bucket{${labels},le="${bound}"} ${entry.buckets[index] ?? 0}`),
      `${name}_bucket{${labels},le="+Inf"} ${entry.count}`,
      `${name}_sum{${labels}} ${entry.sum}`,
      `${name}_count{${labels}} ${entry.count}`
    ]
  }
}

/** The `path` label of a route: its name or template, other characters than letters and digits as `_`; `/` is `root`. */
export function routeLabel(nameOrTemplate: string): string {
  const label = nameOrTemplate
    .replace(/[^a-zA-Z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .toLowerCase()
  return label === '' ? 'root' : label
}
