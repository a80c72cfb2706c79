export { type Absence, type AbsenceCode, explainAbsence } from './absence.ts'
export type {
  Aggregation,
  Binary,
  Call,
  Expr,
  FixedTime,
  Matching,
  MatrixSelector,
  NumberLiteral,
  Paren,
  Span,
  StringLiteral,
  Subquery,
  TimeShift,
  Unary,
  ValueType,
  VectorSelector
} from './ast.ts'
export { typeOf } from './ast.ts'
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
export { FUNCTIONS, type FunctionSpec } from './function-table.data.ts'
export { durationSeconds, formatDuration, numberValue } from './literal.ts'
export { exponentForm, plainForm } from './numbers.ts'
export { parsePromql } from './parse.ts'
export { PromqlParseError } from './parse-error.ts'
export { formatQuery, printExpr } from './print.ts'
