import { writeFileSync } from 'node:fs'
import { scenarioJsonSchema } from '../scenario/index.ts'

/** `twin schema`: the JSON Schema of scenario files, for editors. */
export function schemaCommand(flags: Readonly<Record<string, unknown>>): number {
  const text = `${JSON.stringify(scenarioJsonSchema(), undefined, 2)}\n`
  if (typeof flags['write'] === 'string') writeFileSync(flags['write'], text)
  else process.stdout.write(text)
  return 0
}
