interface AlertPayload {
  /** Slack and those that speak like it. */
  readonly attachments?: readonly { readonly text?: string }[]
  /** Microsoft Teams. */
  readonly sections?: readonly { readonly activityTitle?: string }[]
  /** Google Chat. */
  readonly cards?: readonly {
    readonly sections?: readonly {
      readonly widgets?: readonly { readonly textParagraph?: { readonly text?: string } }[]
    }[]
  }[]
}

/** What an alert says, whatever its receiver wants it wrapped in; empty when that cannot be told. */
export function alertText(payload: unknown): string {
  if (typeof payload !== 'object' || payload === null) return ''
  const { attachments, sections, cards } = payload as AlertPayload
  const card = cards?.[0]?.sections?.[0]?.widgets?.[0]?.textParagraph?.text?.replaceAll(/<[^>]*>/g, '')
  return attachments?.[0]?.text ?? sections?.[0]?.activityTitle ?? card ?? ''
}
