import { parseRequestUri } from '../../../lib/golang/index.ts'
import { discordNotifier } from './discord.ts'
import { gchatNotifier } from './gchat.ts'
import { teamsNotifier } from './msteams.ts'
import type { Notifier, Receiver } from './notifier.ts'
import { rocketNotifier } from './rocket.ts'
import { slackNotifier } from './slack.ts'

export type { AlertField, Receiver } from './notifier.ts'

/** Receivers by type; adding one takes this line and its file. */
const NOTIFIERS: Readonly<Record<string, (receiver: Receiver) => Notifier>> = {
  slack: slackNotifier,
  discord: discordNotifier,
  rocket: rocketNotifier,
  msteams: teamsNotifier,
  gchat: gchatNotifier
}

/** How a receiver wants its messages; unknown types get Slack's (admission refuses them). */
export function notifierFor(receiver: Receiver): Notifier {
  return (NOTIFIERS[receiver.type] ?? slackNotifier)(receiver)
}

/** What Flagger calls a receiver's address and, where it needs user and channel, the receiver. */
const NAMES: Readonly<Record<string, { readonly hook: string; readonly named?: string }>> = {
  slack: { hook: 'Slack hook', named: 'Slack' },
  discord: { hook: 'Discord hook', named: 'Discord' },
  rocket: { hook: 'Rocket hook', named: 'Rocket' },
  msteams: { hook: 'MS Teams webhook' },
  gchat: { hook: 'Google Chat webhook' }
}

/**
 * Why Flagger refuses to make a notifier; undefined when it does not. Without address it makes a silent one.
 * @see fluxcd/flagger pkg/notifier/factory.go and the New functions of each receiver 1.44.0
 */
export function unusableReceiver({ type, url, username, channel }: Receiver): string | undefined {
  if (url === '') return undefined
  const names = NAMES[type]
  if (names === undefined) return `provider ${type} not supported`
  if (!parseRequestUri(url).ok) return `invalid ${names.hook} URL ${url}`
  if (names.named === undefined) return undefined
  if (username === '') return `empty ${names.named} username`
  return channel === '' ? `empty ${names.named} channel` : undefined
}
