import { joinPaths, parseRequestUri, urlText } from '../../../lib/golang/index.ts'
import type { Notifier, Receiver } from './notifier.ts'
import { slackPayload } from './slack.ts'

/**
 * Discord in its Slack-compatible form: `/slack` is added to the path.
 * @see fluxcd/flagger pkg/notifier/discord.go 1.44.0
 */
export function discordNotifier({ url }: Receiver): Notifier {
  return {
    url: url.endsWith('/slack') ? url : withSlackPath(url),
    sendsToken: false,
    payload: (text, receiver) => slackPayload(text, receiver, ['good', 'danger'])
  }
}

function withSlackPath(text: string): string {
  const parsed = parseRequestUri(text)
  if (!parsed.ok) return text
  return urlText({ ...parsed.url, path: joinPaths(parsed.url.path, 'slack') })
}
