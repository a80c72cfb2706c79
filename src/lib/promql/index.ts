export { type Absence, explainAbsence } from './absence.ts'
export type { Expr } from './ast.ts'
export {
  createEngine,
  type Engine,
  type EngineOptions,
  type MatrixSeries,
  type QueryOptions,
  type QueryOutcome,
  type QueryValue,
  type VectorElement
} from './engine.ts'
export { durationSeconds, formatDuration, numberValue } from './literal.ts'
export { exponentForm, plainForm } from './numbers.ts'
export { parsePromql } from './parse.ts'
export { PromqlParseError } from './parse-error.ts'
export { formatQuery, printExpr } from './print.ts'
