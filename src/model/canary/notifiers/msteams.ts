import type { Notifier, Receiver } from './notifier.ts'

/**
 * Microsoft Teams' message card.
 * @see fluxcd/flagger pkg/notifier/teams.go 1.44.0
 */
export function teamsNotifier({ url }: Receiver): Notifier {
  return {
    url,
    sendsToken: false,
    payload: (text) => ({
      '@type': 'MessageCard',
      '@context': 'http://schema.org/extensions',
      themeColor: text.isError ? 'FF0000' : '0076D7',
      summary: text.title,
      sections: [
        { activityTitle: text.message, activitySubtitle: text.title, facts: text.fields.map((field) => ({ ...field })) }
      ]
    })
  }
}
