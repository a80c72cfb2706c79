/** Emits `dist/` for publishing: JavaScript and types from `src/`, beside them the data files the sources read at run time. */
import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { dirname, extname, join, relative, resolve } from 'node:path'
import { execa } from 'execa'

const projectRoot: string = resolve(import.meta.dirname, '..')
const sourceRoot: string = join(projectRoot, 'src')
const outputRoot: string = join(projectRoot, 'dist')

/** Everything under `src/` that is neither TypeScript nor a page for readers is data the code needs. */
function copyData(): void {
  for (const entry of readdirSync(sourceRoot, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || ['.ts', '.md'].includes(extname(entry.name))) continue
    const source = join(entry.parentPath, entry.name)
    const target = join(outputRoot, relative(sourceRoot, source))
    mkdirSync(dirname(target), { recursive: true })
    cpSync(source, target)
  }
}

rmSync(outputRoot, { recursive: true, force: true })
const compiled = await execa('tsc', ['-p', join(import.meta.dirname, 'tsconfig.build.json')], {
  preferLocal: true,
  localDir: projectRoot,
  cwd: projectRoot,
  reject: false,
  all: true
})
if (compiled.exitCode !== 0) {
  console.error(compiled.all)
  process.exit(1)
}
copyData()
