import type { Matcher } from '../tsdb/index.ts'
import type { FunctionSpec } from './function-table.data.ts'

/** The four types of PromQL values. */
export type ValueType = 'scalar' | 'vector' | 'matrix' | 'string'

/** Where an expression stands in the query (UTF-16 offsets, end exclusive). */
export interface Span {
  readonly start: number
  readonly end: number
}

/** A moment fixed by an `@` modifier: ms since the epoch, or an end of the query. */
export type FixedTime = number | 'start' | 'end'

/** Time shift of a selector or subquery. */
export interface TimeShift {
  offsetMs: number
  offsetGiven: boolean
  at: FixedTime | undefined
}

/** A number. */
interface NumberLiteral extends Span {
  readonly kind: 'number'
  readonly value: number
}

/** A text. */
interface StringLiteral extends Span {
  readonly kind: 'string'
  readonly value: string
  /** The text between its quotes as written, for messages. */
  readonly raw: string
}

/** An instant vector selector. */
export interface VectorSelector extends Span, TimeShift {
  readonly kind: 'selector'
  readonly name: string
  readonly matchers: readonly Matcher[]
}

/** A range of a selector. */
export interface MatrixSelector extends Span {
  readonly kind: 'range'
  readonly selector: VectorSelector
  readonly rangeMs: number
}

/** A subquery; step 0 means the default step. */
export interface Subquery extends Span, TimeShift {
  readonly kind: 'subquery'
  readonly inner: Expr
  readonly rangeMs: number
  readonly stepMs: number
}

/** A function call. */
export interface Call extends Span {
  readonly kind: 'call'
  readonly spec: FunctionSpec
  readonly args: readonly Expr[]
}

/** An aggregation. */
export interface Aggregation extends Span {
  readonly kind: 'aggregation'
  readonly operator: string
  readonly inner: Expr
  readonly parameter: Expr | undefined
  readonly labels: readonly string[]
  readonly without: boolean
}

/** How the sides of a binary operation are matched. */
export interface Matching {
  readonly cardinality: 'one-to-one' | 'many-to-one' | 'one-to-many' | 'many-to-many'
  readonly on: boolean
  readonly labels: readonly string[]
  readonly include: readonly string[]
}

/** A binary operation; matching is undefined unless both sides are vectors. */
export interface Binary extends Span {
  readonly kind: 'binary'
  readonly operator: string
  readonly left: Expr
  readonly right: Expr
  readonly returnBool: boolean
  matching: Matching | undefined
}

/** A sign before an expression. */
interface Unary extends Span {
  readonly kind: 'unary'
  readonly operator: '+' | '-'
  readonly inner: Expr
}

/** Parentheses. */
interface Paren extends Span {
  readonly kind: 'paren'
  readonly inner: Expr
}

/** A parsed PromQL expression. */
export type Expr =
  | NumberLiteral
  | StringLiteral
  | VectorSelector
  | MatrixSelector
  | Subquery
  | Call
  | Aggregation
  | Binary
  | Unary
  | Paren

/** Type of the value an expression gives. */
export function typeOf(expr: Expr): ValueType {
  switch (expr.kind) {
    case 'number':
      return 'scalar'
    case 'string':
      return 'string'
    case 'selector':
    case 'aggregation':
      return 'vector'
    case 'range':
    case 'subquery':
      return 'matrix'
    case 'call':
      return expr.spec.returns
    case 'unary':
    case 'paren':
      return typeOf(expr.inner)
    case 'binary':
      return typeOf(expr.left) === 'scalar' && typeOf(expr.right) === 'scalar' ? 'scalar' : 'vector'
  }
}

/** How Prometheus names a value type in messages. */
export function typeName(type: ValueType): string {
  return type === 'vector' ? 'instant vector' : type === 'matrix' ? 'range vector' : type
}

/** The expression inside any parentheses. */
export function unwrap(expr: Expr): Expr {
  let inner = expr
  while (inner.kind === 'paren') inner = inner.inner
  return inner
}
