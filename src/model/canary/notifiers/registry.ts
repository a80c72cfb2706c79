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
