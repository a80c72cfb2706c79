import { type ClusterConnection, connectCluster, openBrowser, serveDashboard } from '../dashboard/index.ts'
import { type DashboardFlags, LinkerdError, linkerdPlan, type LinkerdWords, parseLinkerd } from '../model/viz/index.ts'
import { interruptSignal } from './interrupt.ts'

/**
 * `twin linkerd`, which is what the launcher called `linkerd` runs. Speaks and ends as Linkerd's own program does:
 * `Error: …` and 1, whatever went wrong.
 */
export async function linkerdCommand(words: readonly string[]): Promise<number> {
  try {
    return await runWords(parseLinkerd(words))
  } catch (error) {
    if (!(error instanceof LinkerdError)) throw error
    process.stderr.write(`Error: ${error.message}\n`)
    return 1
  }
}

async function runWords(given: LinkerdWords): Promise<number> {
  if ('text' in given) {
    process.stdout.write(given.text)
    return 0
  }
  const cluster = await connectCluster(given.cluster, process.env)
  try {
    if (given.command === 'dashboard') return await showDashboard(cluster, given.flags)
    const { stdout, stderr } = await cluster.run(linkerdPlan(given, cluster.namespace))
    process.stderr.write(stderr)
    process.stdout.write(stdout)
    return 0
  } finally {
    cluster.close()
  }
}

async function showDashboard(cluster: ClusterConnection, { port, show }: DashboardFlags): Promise<number> {
  const signal = interruptSignal()
  await cluster.check()
  const dashboard = await serveDashboard(cluster, port)
  const { url } = dashboard
  process.stdout.write(`Linkerd dashboard available at:\n${url}\n`)
  if (show === 'linkerd') {
    process.stdout.write('Opening Linkerd dashboard in the default browser\n')
    if (!(await openBrowser(url, process.platform, process.env))) {
      process.stderr.write(
        `Failed to open Linkerd dashboard automatically\nVisit ${url} in your browser to view the dashboard\n`
      )
    }
  }
  if (!signal.aborted) {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  }
  await dashboard.close()
  return 0
}
