export { createPromApi, type PromApi } from './api.ts'
export type { PromApiOptions, PromRequest, PromResponse, PromTarget } from './types.ts'
