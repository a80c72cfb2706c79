import { type Engine, explainAbsence } from '../../lib/promql/index.ts'
import { isPrometheus } from './hosts.ts'

/**
 * Why a query of the controller gave no value, as `code: what was looked at`. A query that the world's own Prometheus
 * could answer was put to another server.
 * @param engine - the world's Prometheus
 * @param asked - the query and the server it was put to, as the controller addressed it
 * @param now - simulated time of the query
 */
export function absenceCause(
  engine: Engine,
  asked: { readonly query: string; readonly address: string },
  now: number
): string {
  const { query, address } = asked
  const server = URL.canParse(address) ? new URL(address) : undefined
  if (server === undefined || !isPrometheus(server.hostname, Number(server.port))) {
    return `wrong server: ${server?.origin ?? address} is not the mesh's Prometheus`
  }
  const absence = explainAbsence(engine, query, now)
  // A number that is none of these (an infinity, a vector of several) is there, only not one the controller can use.
  return absence === undefined
    ? 'unusable value: the query has one, but not as a single number'
    : `${absence.code}: ${absence.text}`
}
