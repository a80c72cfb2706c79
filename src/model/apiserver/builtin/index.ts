export { BUILTIN_DEFINITIONS, builtinDefinitionName, builtinSchema } from './openapi.ts'
