import type { Notifier, Receiver } from './notifier.ts'
import { slackPayload } from './slack.ts'

/**
 * Rocket.Chat: Slack's payload in its own colours.
 * @see fluxcd/flagger pkg/notifier/rocket.go 1.44.0
 */
export function rocketNotifier({ url }: Receiver): Notifier {
  return { url, sendsToken: false, payload: (text, receiver) => slackPayload(text, receiver, ['#0076D7', '#FF0000']) }
}
