import { z } from 'zod'
import type { JsonObject } from '../kinds/index.ts'
import { scenarioSchema } from './schema.ts'

let cached: JsonObject | undefined

/** The scenario file's JSON Schema (draft 2020-12), as published in `scenarios/scenario.schema.json`. */
export function scenarioJsonSchema(): JsonObject {
  cached ??= {
    title: 'rollout-twin scenario',
    ...(z.toJSONSchema(scenarioSchema, { io: 'input', unrepresentable: 'any', reused: 'ref' }) as unknown as JsonObject)
  }
  return cached
}
