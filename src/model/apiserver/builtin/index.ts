export { BUILTIN_DEFINITIONS, builtinDefinitionName, builtinSchema } from './openapi.ts'
export { setDefaults } from './kind-defaults.ts'
export { defaultPullPolicy } from './pod-defaults.ts'
