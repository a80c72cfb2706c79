import { quote } from '../quote.ts'

/** A position in the template. */
interface Placed {
  readonly at: number
}

/** What a command consists of. */
export type Operand =
  | (Placed & { readonly node: 'identifier'; readonly name: string })
  | (Placed & { readonly node: 'variable'; readonly names: readonly string[] })
  | (Placed & { readonly node: 'field'; readonly names: readonly string[] })
  | (Placed & { readonly node: 'chain'; readonly of: Operand; readonly names: readonly string[] })
  | (Placed & { readonly node: 'dot' })
  | (Placed & { readonly node: 'nil' })
  | (Placed & { readonly node: 'bool'; readonly value: boolean })
  | (Placed & { readonly node: 'number'; readonly text: string; readonly value: NumberValue })
  | (Placed & { readonly node: 'string'; readonly quoted: string; readonly value: string })
  | Pipe

/** What a number may be read as. */
export interface NumberValue {
  readonly int?: bigint
  readonly float?: number
  readonly complex?: readonly [real: number, imaginary: number]
  /** Whether it is too large for an int. */
  readonly overflows?: boolean
}

/** Operands, of which the first says what is done. */
export interface Command extends Placed {
  readonly node: 'command'
  readonly operands: Operand[]
}

/** Commands, each with the result of the one before. */
export interface Pipe extends Placed {
  readonly node: 'pipe'
  readonly declared: string[]
  isAssignment: boolean
  readonly commands: Command[]
}

/** What a template consists of. */
export type Step =
  | (Placed & { readonly node: 'text'; readonly text: string })
  | (Placed & { readonly node: 'action'; readonly pipe: Pipe })
  | (Placed & {
      readonly node: 'if' | 'with' | 'range'
      readonly pipe: Pipe
      readonly list: List
      readonly otherwise: List | undefined
    })
  | (Placed & { readonly node: 'template'; readonly name: string; readonly pipe: Pipe | undefined })
  | (Placed & { readonly node: 'break' | 'continue' })
  | (Placed & { readonly node: 'end' | 'else' })

/** Steps in order. */
export type List = readonly Step[]

/** Any node an error can name. */
export type TemplateNode = Operand | Command | Step

/** A node's text in errors. */
export function nodeText(node: TemplateNode): string {
  switch (node.node) {
    case 'identifier':
      return node.name
    case 'variable':
      return node.names.join('.')
    case 'field':
      return node.names.map((name) => `.${name}`).join('')
    case 'chain':
      return `${node.of.node === 'pipe' ? `(${nodeText(node.of)})` : nodeText(node.of)}.${node.names.join('.')}`
    case 'dot':
      return '.'
    case 'bool':
      return String(node.value)
    case 'number':
    case 'text':
      return node.text
    case 'string':
      return node.quoted
    case 'command':
      return node.operands.map((one) => (one.node === 'pipe' ? `(${nodeText(one)})` : nodeText(one))).join(' ')
    case 'pipe':
      return pipeText(node)
    case 'action':
      return `{{${pipeText(node.pipe)}}}`
    case 'template':
      return `{{template ${quote(node.name)}${node.pipe === undefined ? '' : ` ${pipeText(node.pipe)}`}}}`
    case 'if':
    case 'with':
    case 'range':
      return branchText(node)
    case 'nil':
      return 'nil'
    default:
      return `{{${node.node}}}`
  }
}

function pipeText({ declared, isAssignment, commands }: Pipe): string {
  const names = declared.length === 0 ? '' : `${declared.join(', ')} ${isAssignment ? '=' : ':='} `
  return names + commands.map(nodeText).join(' | ')
}

function branchText(step: Extract<Step, { node: 'if' | 'with' | 'range' }>): string {
  const listText = (list: List): string => list.map(nodeText).join('')
  const otherwise = step.otherwise === undefined ? '' : `{{else}}${listText(step.otherwise)}`
  return `{{${step.node} ${pipeText(step.pipe)}}}${listText(step.list)}${otherwise}{{end}}`
}
