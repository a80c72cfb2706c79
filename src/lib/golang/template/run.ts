import { quote } from '../quote.ts'
import { BUILTINS, CALLEE, CallProblem, type Builtin } from './functions.ts'
import { printed } from './format.ts'
import { nodeText, type Command, type List, type Operand, type Pipe, type Step, type TemplateNode } from './node.ts'
import { isTrue, NIL, sortedEntries, textValue, type GoValue } from './value.ts'
import type { Templates } from './parser.ts'

/** Gives the value of a function without arguments; undefined where there is none of that name. */
export type TemplateFunctions = (name: string) => GoValue | undefined

/** A template failed while it ran: Go's message, the node it names and the template that ran. */
export class ExecutionProblem extends Error {
  readonly at: number
  readonly node: string
  readonly template: string

  /** @param at - offset in the text */
  constructor(message: string, place: { readonly at: number; readonly node: string; readonly template: string }) {
    super(message)
    this.name = 'ExecutionProblem'
    this.at = place.at
    this.node = place.node
    this.template = place.template
  }
}

const DEPTH_MAX = 1000
/** Marks that a pipeline has no value yet: other than nil, it gives no argument. */
const MISSING = Symbol('missing')
type Piped = GoValue | typeof MISSING

/** How the steps of a range end. */
type Jump = 'break' | 'continue' | undefined

/**
 * Runs a template without data; a missing key is an error.
 * @throws ExecutionProblem
 * @see Go text/template/exec.go 1.26
 */
export function runTemplates(templates: Templates, name: string, functions: TemplateFunctions): string {
  const run = new Run(templates, functions, { name, depth: 0, dot: NIL })
  run.walk(NIL, templates.get(name) ?? [])
  return run.output
}

interface Variable {
  readonly name: string
  value: GoValue
}

class Run {
  output = ''
  readonly #templates: Templates
  readonly #functions: TemplateFunctions
  readonly #name: string
  readonly #depth: number
  readonly #variables: Variable[]
  #node: TemplateNode | undefined

  constructor(
    templates: Templates,
    functions: TemplateFunctions,
    { name, depth, dot }: { readonly name: string; readonly depth: number; readonly dot: GoValue }
  ) {
    this.#templates = templates
    this.#functions = functions
    this.#name = name
    this.#depth = depth
    this.#variables = [{ name: '$', value: dot }]
  }

  walk(dot: GoValue, list: List): Jump {
    for (const step of list) {
      const jump = this.#step(dot, step)
      if (jump !== undefined) return jump
    }
    return undefined
  }

  #step(dot: GoValue, step: Step): Jump {
    this.#node = step
    switch (step.node) {
      case 'text':
        this.output += step.text
        return undefined
      case 'action':
        this.#action(dot, step.pipe)
        return undefined
      case 'if':
      case 'with':
        return this.#choice(dot, step)
      case 'range':
        return this.#range(dot, step)
      case 'template':
        this.#call(dot, step)
        return undefined
      case 'break':
      case 'continue':
        return step.node
      default:
        return undefined
    }
  }

  #action(dot: GoValue, pipe: Pipe): void {
    const value = this.#pipeline(dot, pipe)
    if (pipe.declared.length === 0) this.output += value.type === 'nil' ? '<no value>' : printed(value)
  }

  #choice(dot: GoValue, step: Extract<Step, { node: 'if' | 'with' | 'range' }>): Jump {
    const mark = this.#variables.length
    const value = this.#pipeline(dot, step.pipe)
    const chosen = isTrue(value) ? step.list : (step.otherwise ?? [])
    const jump = this.walk(isTrue(value) && step.node === 'with' ? value : dot, chosen)
    this.#variables.length = mark
    return jump
  }

  #range(dot: GoValue, step: Extract<Step, { node: 'if' | 'with' | 'range' }>): Jump {
    const outer = this.#variables.length
    const value = this.#pipeline(dot, step.pipe)
    const entries = this.#entries(value, step.pipe)
    const mark = this.#variables.length
    for (const [index, element] of entries) {
      this.#iteration(step.pipe, index, element)
      const jump = this.walk(element, step.list)
      this.#variables.length = mark
      if (jump === 'break') break
    }
    const jump = entries.length === 0 ? this.walk(dot, step.otherwise ?? []) : undefined
    this.#variables.length = outer
    return jump
  }

  #entries(value: GoValue, pipe: Pipe): readonly (readonly [GoValue, GoValue])[] {
    if (value.type === 'nil') return []
    if (value.type === 'map[string]string')
      return sortedEntries(value.value).map(([key, text]) => [textValue(key), textValue(text)])
    if (value.type !== 'int' && value.type !== 'uint8')
      throw this.#problem(`range can't iterate over ${printed(value)}`)
    if (pipe.declared.length > 1)
      throw this.#problem(`can't use ${printed(value)} to iterate over more than one variable`)
    const count = Number(value.value)
    if (count > RANGE_MAX) throw this.#problem(`range over ${count}: more than rollout-twin iterates over`)
    const { type } = value
    return Array.from({ length: Math.max(0, count) }, (_, index) => [NIL, { type, value: BigInt(index) }] as const)
  }

  /** With one variable it is the element, with two the index comes first. */
  #iteration({ declared, isAssignment }: Pipe, index: GoValue, element: GoValue): void {
    const values = declared.length > 1 ? [index, element] : [element]
    for (const [place, name] of declared.entries()) {
      const value = values[place] ?? NIL
      if (isAssignment) this.#assign(name, value)
      else {
        const variable = this.#variables[this.#variables.length - declared.length + place]
        if (variable !== undefined) variable.value = value
      }
    }
  }

  #call(dot: GoValue, step: Extract<Step, { node: 'template' }>): void {
    const list = this.#templates.get(step.name)
    if (list === undefined) throw this.#problem(`template ${quote(step.name)} not defined`)
    if (this.#depth >= DEPTH_MAX) throw this.#problem(`exceeded maximum template depth (${DEPTH_MAX})`)
    const value = step.pipe === undefined ? NIL : this.#pipeline(dot, step.pipe)
    const run = new Run(this.#templates, this.#functions, { name: step.name, depth: this.#depth + 1, dot: value })
    run.walk(value, list)
    this.output += run.output
  }

  #pipeline(dot: GoValue, pipe: Pipe): GoValue {
    this.#node = pipe
    let value: Piped = MISSING
    for (const command of pipe.commands) value = this.#command(dot, command, value)
    const result = value === MISSING ? NIL : value
    for (const name of pipe.declared) {
      if (pipe.isAssignment) this.#assign(name, result)
      else this.#variables.push({ name, value: result })
    }
    return result
  }

  #command(dot: GoValue, command: Command, piped: Piped): GoValue {
    const { operands } = command
    const [first] = operands
    if (first === undefined) return NIL
    const hasArguments = operands.length > 1 || piped !== MISSING
    switch (first.node) {
      case 'identifier':
        return this.#function(dot, first, { call: command, args: operands.slice(1), piped })
      case 'field':
      case 'chain':
        return this.#fieldsOf(dot, first, hasArguments)
      case 'variable':
        return this.#variable(first, hasArguments)
      case 'pipe':
        this.#refuseArguments(first, hasArguments)
        return this.#pipeline(dot, first)
      default:
        this.#node = first
        this.#refuseArguments(first, hasArguments)
        if (first.node === 'nil') throw this.#problem('nil is not a command')
        return this.#literal(dot, first)
    }
  }

  #refuseArguments(first: Operand, hasArguments: boolean): void {
    if (hasArguments) throw this.#problem(`can't give argument to non-function ${nodeText(first)}`)
  }

  #literal(dot: GoValue, operand: Operand): GoValue {
    this.#node = operand
    switch (operand.node) {
      case 'dot':
        return dot
      case 'bool':
        return { type: 'bool', value: operand.value }
      case 'string':
        return textValue(operand.value)
      case 'number':
        return this.#number(operand)
      default:
        return NIL
    }
  }

  #number({ text, value }: Extract<Operand, { node: 'number' }>): GoValue {
    if (value.complex !== undefined) return { type: 'complex128', value: value.complex }
    const isFloat = /[.eEpP]/.test(text) && !text.startsWith("'") && !/^0[xX][^pP]*$/.test(text)
    if (value.float !== undefined && isFloat) return { type: 'float64', value: value.float }
    if (value.int !== undefined) return { type: 'int', value: value.int }
    throw this.#problem(`${text} overflows int`)
  }

  #variable(operand: Extract<Operand, { node: 'variable' }>, hasArguments: boolean): GoValue {
    this.#node = operand
    const [name = '', ...fields] = operand.names
    const value = this.#variables.findLast((variable) => variable.name === name)?.value
    if (value === undefined) throw this.#problem(`undefined variable: ${name}`)
    if (fields.length > 0) return this.#fields(value, fields, hasArguments)
    this.#refuseArguments(operand, hasArguments)
    return value
  }

  #fieldsOf(dot: GoValue, operand: Extract<Operand, { node: 'field' | 'chain' }>, hasArguments: boolean): GoValue {
    this.#node = operand
    if (operand.node === 'field') return this.#fields(dot, operand.names, hasArguments)
    const value = this.#argument(dot, operand.of, 'any')
    return this.#fields(value, operand.names, hasArguments)
  }

  #fields(start: GoValue, names: readonly string[], hasArguments: boolean): GoValue {
    let value = start
    for (const [index, name] of names.entries()) {
      if (value.type === 'nil') throw this.#problem(`nil data; no entry for key ${quote(name)}`)
      if (value.type !== 'map[string]string') throw this.#problem(`can't evaluate field ${name} in type ${value.type}`)
      if (hasArguments && index === names.length - 1) throw this.#problem(`${name} is not a method but has arguments`)
      const entry = value.value.get(name)
      if (entry === undefined) throw this.#problem(`map has no entry for key ${quote(name)}`)
      value = textValue(entry)
    }
    return value
  }

  #function(
    dot: GoValue,
    { name, at }: Extract<Operand, { node: 'identifier' }>,
    { call, args, piped }: { readonly call: TemplateNode; readonly args: readonly Operand[]; readonly piped: Piped }
  ): GoValue {
    this.#node = { node: 'identifier', name, at }
    const count = args.length + (piped === MISSING ? 0 : 1)
    const own = this.#functions(name)
    if (own !== undefined) {
      if (count > 0) throw this.#problem(`wrong number of args for ${name}: want 0 got ${count}`)
      return own
    }
    const builtin = BUILTINS.get(name)
    if (builtin === undefined) throw this.#problem(`${quote(name)} is not a defined function`)
    this.#checkCount(name, builtin, count, args.length)
    if (name === 'and' || name === 'or') return this.#shortCircuit(dot, name === 'or', args, piped)
    const values = args.map((arg, index) => this.#argument(dot, arg, parameterOf(builtin, index)))
    if (piped !== MISSING) values.push(this.#checked(piped, parameterOf(builtin, values.length)))
    return this.#called(name, builtin, values, { call, callee: args[0] === undefined ? piped : args[0] })
  }

  #checkCount(name: string, { min, max }: Builtin, count: number, given: number): void {
    if (max === undefined ? count >= min : count === max) return
    throw this.#problem(
      max === undefined
        ? `wrong number of args for ${name}: want at least ${min} got ${given}`
        : `wrong number of args for ${name}: want ${max} got ${count}`
    )
  }

  #shortCircuit(dot: GoValue, wanted: boolean, args: readonly Operand[], piped: Piped): GoValue {
    let value: GoValue = NIL
    for (const arg of args) {
      value = this.#argument(dot, arg, 'value')
      if (isTrue(value) === wanted) return value
    }
    return piped === MISSING ? value : piped
  }

  #called(
    name: string,
    builtin: Builtin,
    values: readonly GoValue[],
    { call, callee }: { readonly call: TemplateNode; readonly callee: Operand | Piped }
  ): GoValue {
    try {
      return builtin.call(values)
    } catch (error) {
      if (!(error instanceof CallProblem)) throw error
      this.#node = call
      throw this.#problem(`error calling ${name}: ${error.message.replace(CALLEE, calleeText(callee))}`)
    }
  }

  #argument(dot: GoValue, operand: Operand, parameter: 'value' | 'any' | 'string'): GoValue {
    this.#node = operand
    switch (operand.node) {
      case 'nil':
        if (parameter === 'string') throw this.#problem('cannot assign nil to string')
        return NIL
      case 'bool':
      case 'number':
      case 'string':
        if (parameter === 'string' && operand.node !== 'string')
          throw this.#problem(`expected string; found ${nodeText(operand)}`)
        return this.#literal(dot, operand)
      default:
        return this.#checked(this.#evaluated(dot, operand), parameter)
    }
  }

  #evaluated(dot: GoValue, operand: Operand): GoValue {
    switch (operand.node) {
      case 'identifier':
        return this.#function(dot, operand, { call: operand, args: [], piped: MISSING })
      case 'field':
      case 'chain':
        return this.#fieldsOf(dot, operand, false)
      case 'variable':
        return this.#variable(operand, false)
      case 'pipe':
        return this.#pipeline(dot, operand)
      default:
        return dot
    }
  }

  #checked(value: GoValue, parameter: 'value' | 'any' | 'string'): GoValue {
    if (parameter !== 'string' || value.type === 'string') return value
    if (value.type === 'nil') throw this.#problem('invalid value; expected string')
    throw this.#problem(`wrong type for value; expected string; got ${value.type}`)
  }

  #assign(name: string, value: GoValue): void {
    const variable = this.#variables.findLast((one) => one.name === name)
    if (variable === undefined) throw this.#problem(`undefined variable: ${name}`)
    variable.value = value
  }

  #problem(message: string): ExecutionProblem {
    const node = this.#node
    const place = { at: node?.at ?? 0, node: node === undefined ? '' : nodeText(node), template: this.#name }
    return new ExecutionProblem(message, place)
  }
}

/** Most rounds of a range over a number. */
const RANGE_MAX = 100_000

function parameterOf({ parameters }: Builtin, index: number): 'value' | 'any' | 'string' {
  return parameters[Math.min(index, parameters.length - 1)] ?? 'any'
}

function calleeText(callee: Operand | Piped): string {
  if (callee === MISSING) return ''
  if ('node' in callee) return nodeText(callee)
  return callee.type === 'string' ? callee.value : `<${callee.type} Value>`
}
