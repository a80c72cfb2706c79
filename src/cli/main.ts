#!/usr/bin/env node
import { keepCompiledCode } from './compile-cache.ts'
import { makeObjectsYoung } from './young-heap.ts'

keepCompiledCode()
makeObjectsYoung()
// Loaded afterwards: only what is imported after the cache is on is kept in it.
const { runProgram } = await import('./program.ts')
process.exitCode = await runProgram(process.argv.slice(2))
