export { createApiServer, type ApiServer, type ApiServerOptions, type ApiSnapshot } from './server.ts'
export type { OnWatchEvent, OpenWatch, WatchEvent } from './watch.ts'
export type { Descriptions } from './core.ts'
