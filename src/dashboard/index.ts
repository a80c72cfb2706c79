export { openBrowser } from './browser.ts'
export { type ClusterConnection, connectCluster } from './cluster.ts'
export { type Dashboard, serveDashboard } from './server.ts'
