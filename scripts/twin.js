#!/usr/bin/env node
// The command of the package. A clone has the sources, which Node runs as they are; the package has what was built of them.
import { existsSync } from 'node:fs'

const OLDEST = [22, 22]
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  console.error(`twin: needs Node ${OLDEST.join('.')} or newer, this is ${process.versions.node}`)
  process.exit(2)
}
const source = new URL('../src/cli/main.ts', import.meta.url)
const built = new URL('../dist/cli/main.js', import.meta.url)
const entry = existsSync(source) ? source : built
await import(entry.href)
