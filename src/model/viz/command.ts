import type { VizPlan } from './ask.ts'
import { buildStatRequests, type StatFlags } from './request.ts'
import { statPlan } from './stat.ts'
import { statText } from './table.ts'

/** What a command prints. */
export interface LinkerdOutput {
  readonly stdout: string
  readonly stderr: string
}

/**
 * `linkerd stat`: asks and prints.
 * @param defaultNamespace - that of the kubeconfig's context
 * @throws LinkerdError
 */
export function* statCommand(flags: StatFlags, defaultNamespace: string): VizPlan<LinkerdOutput> {
  const rows = yield* statPlan(buildStatRequests(flags, defaultNamespace))
  const stdout = statText(rows, {
    output: flags.output as 'table' | 'wide' | 'json',
    allNamespaces: flags.allNamespaces,
    // What a client measured counts whether or not the other side is in the mesh.
    unmeshed: flags.unmeshed || flags.from !== undefined
  })
  return { stdout, stderr: stdout === '' ? 'No traffic found.\n' : '' }
}
