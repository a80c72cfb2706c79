import type { AlertText, Notifier, Receiver } from './notifier.ts'

/**
 * Slack's message with one attachment.
 * @see fluxcd/flagger pkg/notifier/slack.go 1.44.0
 */
export function slackNotifier({ url }: Receiver): Notifier {
  return { url, sendsToken: true, payload: (text, receiver) => slackPayload(text, receiver, ['good', 'danger']) }
}

/** Slack's payload in the given colours for good and bad. */
export function slackPayload(text: AlertText, receiver: Receiver, colors: readonly [string, string]): unknown {
  return {
    channel: receiver.channel,
    username: receiver.username,
    icon_url: '',
    icon_emoji: ':rocket:',
    attachments: [
      {
        color: text.isError ? colors[1] : colors[0],
        author_name: text.title,
        text: text.message,
        mrkdwn_in: ['text'],
        fields: text.fields.map(({ name, value }) => ({ title: name, value, short: false }))
      }
    ]
  }
}
