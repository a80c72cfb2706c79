import type { Notifier, Receiver } from './notifier.ts'

/**
 * Google Chat's card.
 * @see fluxcd/flagger pkg/notifier/gchat.go 1.44.0
 */
export function gchatNotifier({ url }: Receiver): Notifier {
  return {
    url,
    sendsToken: false,
    payload: (text) => ({
      cards: [
        {
          header: { title: 'Flagger', subtitle: text.title, imageUrl: 'https://flagger.app/favicon.png' },
          sections: [
            section(strong(text.message)),
            ...text.fields.map(({ name, value }) => section(`${name}<br>${strong(value)}`))
          ]
        }
      ]
    })
  }
}

function strong(text: string): string {
  return `<font color=#848484><strong>${text}</strong></font>`
}

function section(text: string): unknown {
  return { widgets: [{ textParagraph: { text } }] }
}
