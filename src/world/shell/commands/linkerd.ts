import type { Command } from 'just-bash'
import { defineCommand } from 'just-bash'
import { answerPlan, LinkerdError, linkerdPlan, parseLinkerd, type VizAnswer } from '../../../model/viz/index.ts'
import type { ShellPorts } from '../ports.ts'
import type { ShellSession } from '../session.ts'
import { failed } from './time.ts'

/** `linkerd stat` in the words of 2.9 and of today's `linkerd viz stat`; there is no browser here for its dashboard. */
export function linkerdCommand({ ports }: ShellSession): Command {
  return defineCommand('linkerd', (words) => {
    try {
      const given = parseLinkerd(words)
      if ('text' in given) return Promise.resolve({ stdout: given.text, stderr: '', exitCode: 0 })
      if (given.command === 'dashboard') throw new LinkerdError('no browser here: linkerd dashboard is for `twin up`')
      const output = answerPlan(linkerdPlan(given, 'default'), (ask) =>
        ask.ask === 'api' ? askApi(ports, ask.path, ask.query) : askMetrics(ports, ask.expression)
      )
      return Promise.resolve({ ...output, exitCode: 0 })
    } catch (error) {
      if (!(error instanceof LinkerdError)) throw error
      return Promise.resolve(failed(1, `Error: ${error.message}\n`))
    }
  })
}

function askApi(ports: ShellPorts, path: string, query: Readonly<Record<string, string>> | undefined): VizAnswer {
  const headers = { accept: 'application/json', 'user-agent': 'rollout-twin-linkerd' }
  const { code, body } = ports.api({ method: 'GET', path, headers, ...(query === undefined ? {} : { query }) })
  if (code < 400) return { ok: true, body }
  const { message } = (body ?? {}) as { readonly message?: string }
  return { ok: false, code, message: message ?? `the Kubernetes API answered ${code}` }
}

function askMetrics(ports: ShellPorts, expression: string): VizAnswer {
  return ports.metrics?.(expression) ?? { ok: false, code: 503, message: 'no Prometheus here' }
}
