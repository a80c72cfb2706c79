export { createOutbound, type Outbound, type OutboundCall, type OutboundOptions } from './outbound.ts'
