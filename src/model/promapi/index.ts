export { createPromApi, type PromApi } from './api.ts'
export type { PromRequest, PromResponse } from './types.ts'
