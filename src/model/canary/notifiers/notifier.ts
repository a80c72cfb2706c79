/** A name and a value shown with an alert. */
export interface AlertField {
  readonly name: string
  readonly value: string
}

/** Where an alert goes. */
export interface Receiver {
  readonly type: string
  readonly url: string
  readonly token: string
  readonly proxy: string
  readonly username: string
  readonly channel: string
}

/** What an alert says. */
export interface AlertText {
  /** `<name>.<namespace>` of the canary. */
  readonly title: string
  readonly message: string
  readonly fields: readonly AlertField[]
  readonly isError: boolean
}

/** How one kind of receiver wants its messages. */
export interface Notifier {
  /** URL that is called. */
  readonly url: string
  /** Whether a token is sent as bearer. */
  readonly sendsToken: boolean
  payload(text: AlertText, receiver: Receiver): unknown
}
