import type { ASTNode } from '@marcbachmann/cel-js'

/**
 * Calls Kubernetes' kind of `has()`, which accepts any receiver (`has(self.list[0].field)`), instead of the library's.
 * Text inside literals stays as it is.
 * @param expression - CEL source
 */
export function withGeneralHas(expression: string): string {
  const literalOrHas = /("""[^]*?"""|'''[^]*?'''|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|\bhas(?=\s*\()/g
  return expression.replaceAll(literalOrHas, (match, literal: string | undefined) =>
    literal === undefined ? 'hasField' : match
  )
}

/**
 * Source texts of the left operands of all `||` and `&&` whose right operand covers a position, innermost first. cel-go reports the
 * error of the left operand where both sides fail, the library that of the right one.
 * @param root - parsed expression
 * @param position - offset of the error in the source
 */
export function leftOperandsBefore(root: ASTNode, position: number): readonly string[] {
  const found: string[] = []
  visit(root)
  return found

  function visit(node: ASTNode): void {
    if ((node.op === '||' || node.op === '&&') && Array.isArray(node.args)) {
      const [left, right] = node.args
      if (covers(right, position)) found.unshift(node.input.slice(left.range.start, left.range.end))
    }
    for (const child of children(node.args)) visit(child)
  }
}

function covers(node: ASTNode, position: number): boolean {
  return node.range.start <= position && position < node.range.end
}

function children(args: unknown): readonly ASTNode[] {
  if (!Array.isArray(args)) return []
  return args.flatMap((argument: unknown) =>
    Array.isArray(argument) ? children(argument) : isNode(argument) ? [argument] : []
  )
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'range' in value
}
