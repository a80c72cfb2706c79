/** Names of podinfo's handlers. */
export type PodinfoHandler =
  | 'info'
  | 'version'
  | 'echo'
  | 'env'
  | 'headers'
  | 'delay'
  | 'healthz'
  | 'readyz'
  | 'readyz-enable'
  | 'readyz-disable'
  | 'panic'
  | 'status'
  | 'store-write'
  | 'store-read'
  | 'cache'
  | 'configs'
  | 'token'
  | 'token-validate'
  | 'chunked'
  | 'fault-enable'
  | 'fault-disable'
  | 'fault-status'
  | 'metrics'
  | 'swagger'
  | 'websocket'
  | 'pprof'

/** A route of podinfo's router, in the order it is tried. */
export interface PodinfoRoute {
  readonly template: string
  /** Empty: any method. */
  readonly methods: readonly string[]
  readonly handler: PodinfoHandler
  /** First and, exclusive, last version that has it. */
  readonly since: string
  readonly until?: string
  /** Name given to the route; it replaces the template in metrics. */
  readonly name?: string
}

const GET: readonly string[] = ['GET']
const POST: readonly string[] = ['POST']
const ANY: readonly string[] = []

/** @see stefanprodan/podinfo pkg/api/server.go of 1.7.0 to 6.0.1, pkg/api/http/server.go of 6.14.1 */
export const PODINFO_ROUTES: readonly PodinfoRoute[] = [
  { template: '/metrics', methods: ANY, handler: 'metrics', since: '1.0.0' },
  { template: '/debug/pprof/{profile:.*}', methods: ANY, handler: 'pprof', since: '1.0.0' },
  { template: '/', methods: GET, handler: 'info', since: '1.0.0' },
  { template: '/version', methods: GET, handler: 'version', since: '1.0.0' },
  { template: '/echo', methods: POST, handler: 'echo', since: '1.0.0', until: '6.4.0' },
  { template: '/echo', methods: ANY, handler: 'echo', since: '6.4.0' },
  { template: '/echo/{path:.*}', methods: ANY, handler: 'echo', since: '6.13.0', name: 'echo' },
  { template: '/env', methods: ['GET', 'POST'], handler: 'env', since: '1.0.0' },
  { template: '/headers', methods: ['GET', 'POST'], handler: 'headers', since: '1.0.0' },
  { template: '/delay/{wait:[0-9]+}', methods: GET, handler: 'delay', since: '1.0.0', name: 'delay' },
  { template: '/healthz', methods: GET, handler: 'healthz', since: '1.0.0' },
  { template: '/readyz', methods: GET, handler: 'readyz', since: '1.0.0' },
  { template: '/readyz/enable', methods: POST, handler: 'readyz-enable', since: '1.0.0' },
  { template: '/readyz/disable', methods: POST, handler: 'readyz-disable', since: '1.0.0' },
  { template: '/fault_injection/enable', methods: POST, handler: 'fault-enable', since: '6.13.0' },
  { template: '/fault_injection/disable', methods: POST, handler: 'fault-disable', since: '6.13.0' },
  { template: '/fault_injection/status', methods: GET, handler: 'fault-status', since: '6.13.0' },
  { template: '/panic', methods: GET, handler: 'panic', since: '1.0.0' },
  {
    template: '/status/{code:[0-9]+}',
    methods: ['GET', 'POST', 'PUT'],
    handler: 'status',
    since: '1.0.0',
    name: 'status'
  },
  { template: '/store', methods: POST, handler: 'store-write', since: '1.0.0', until: '3.3.0' },
  { template: '/store', methods: ['POST', 'PUT'], handler: 'store-write', since: '3.3.0' },
  { template: '/store/{hash}', methods: GET, handler: 'store-read', since: '1.0.0', name: 'store' },
  { template: '/cache/{key}', methods: ['POST', 'PUT', 'DELETE'], handler: 'cache', since: '3.3.0' },
  { template: '/cache/{key}', methods: GET, handler: 'cache', since: '3.3.0', name: 'cache' },
  { template: '/configs', methods: GET, handler: 'configs', since: '1.0.0' },
  { template: '/token', methods: POST, handler: 'token', since: '1.0.0' },
  { template: '/token/validate', methods: GET, handler: 'token-validate', since: '1.0.0' },
  { template: '/api/info', methods: GET, handler: 'info', since: '1.0.0' },
  { template: '/api/echo', methods: POST, handler: 'echo', since: '1.0.0', until: '6.4.0' },
  { template: '/api/echo', methods: ANY, handler: 'echo', since: '6.4.0' },
  { template: '/ws/echo', methods: ANY, handler: 'websocket', since: '1.0.0' },
  { template: '/chunked', methods: ANY, handler: 'chunked', since: '2.0.0' },
  { template: '/chunked/{wait:[0-9]+}', methods: ANY, handler: 'chunked', since: '2.0.0' },
  { template: '/swagger.json', methods: ANY, handler: 'swagger', since: '2.1.0' }
]
