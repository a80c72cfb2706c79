/** Type of an argument or result. */
type ArgumentType = 'scalar' | 'vector' | 'matrix' | 'string'

/** Signature of a PromQL function. */
export interface FunctionSpec {
  readonly name: string
  readonly args: readonly ArgumentType[]
  /** 0: exactly the listed arguments; n: up to n more than one less; -1: any number. */
  readonly variadic: number
  readonly returns: 'scalar' | 'vector'
  readonly experimental: boolean
  /** Versions that know the function. */
  readonly versions: readonly ('v2' | 'v3')[]
}

const BOTH: readonly ('v2' | 'v3')[] = ['v2', 'v3']

interface Extra {
  readonly variadic?: number
  readonly returns?: 'scalar' | 'vector'
  readonly experimental?: boolean
  readonly versions?: readonly ('v2' | 'v3')[]
}

function spec(name: string, args: readonly ArgumentType[], extra: Extra = {}): [string, FunctionSpec] {
  return [
    name,
    {
      name,
      args,
      variadic: extra.variadic ?? 0,
      returns: extra.returns ?? 'vector',
      experimental: extra.experimental ?? false,
      versions: extra.versions ?? BOTH
    }
  ]
}

const OVER_VECTOR = (
  'abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor histogram_avg histogram_count ' +
  'histogram_sum histogram_stddev histogram_stdvar ln log10 log2 rad sgn sin sinh sort sort_desc sqrt tan tanh timestamp'
).split(' ')
const OVER_RANGE = (
  'absent_over_time avg_over_time changes count_over_time delta deriv idelta increase irate last_over_time ' +
  'max_over_time min_over_time present_over_time rate resets stddev_over_time stdvar_over_time sum_over_time'
).split(' ')
const OF_TIME = 'days_in_month day_of_month day_of_week day_of_year hour minute month year'.split(' ')
const V3: readonly ('v2' | 'v3')[] = ['v3']

/**
 * Every function this engine evaluates or knows by name.
 * @see Prometheus promql/parser/functions.go, v2.55.1 and v3.14.0
 */
export const FUNCTIONS: ReadonlyMap<string, FunctionSpec> = new Map<string, FunctionSpec>([
  ...OVER_VECTOR.map((name) => spec(name, ['vector'])),
  ...OVER_RANGE.map((name) => spec(name, ['matrix'])),
  ...OF_TIME.map((name) => spec(name, ['vector'], { variadic: 1 })),
  spec('clamp', ['vector', 'scalar', 'scalar']),
  spec('clamp_max', ['vector', 'scalar']),
  spec('clamp_min', ['vector', 'scalar']),
  spec('first_over_time', ['matrix'], { versions: V3 }),
  spec('histogram_fraction', ['scalar', 'scalar', 'vector']),
  spec('histogram_quantile', ['scalar', 'vector']),
  spec('holt_winters', ['matrix', 'scalar', 'scalar'], { versions: ['v2'] }),
  spec('double_exponential_smoothing', ['matrix', 'scalar', 'scalar'], { experimental: true, versions: V3 }),
  spec('label_replace', ['vector', 'string', 'string', 'string', 'string']),
  spec('label_join', ['vector', 'string', 'string', 'string'], { variadic: -1 }),
  spec('mad_over_time', ['matrix'], { experimental: true }),
  spec('ts_of_first_over_time', ['matrix'], { experimental: true, versions: V3 }),
  spec('ts_of_last_over_time', ['matrix'], { experimental: true, versions: V3 }),
  spec('ts_of_max_over_time', ['matrix'], { experimental: true, versions: V3 }),
  spec('ts_of_min_over_time', ['matrix'], { experimental: true, versions: V3 }),
  spec('pi', [], { returns: 'scalar' }),
  spec('predict_linear', ['matrix', 'scalar']),
  spec('quantile_over_time', ['scalar', 'matrix']),
  spec('round', ['vector', 'scalar'], { variadic: 1 }),
  spec('scalar', ['vector'], { returns: 'scalar' }),
  spec('sort_by_label', ['vector', 'string'], { variadic: -1, experimental: true }),
  spec('sort_by_label_desc', ['vector', 'string'], { variadic: -1, experimental: true }),
  spec('time', [], { returns: 'scalar' }),
  spec('vector', ['scalar'])
])
