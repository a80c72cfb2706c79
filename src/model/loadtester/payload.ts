/** What Flagger's webhooks post. @see flagger pkg/apis/flagger/v1beta1/canary.go CanaryWebhookPayload */
export interface TaskPayload {
  readonly name: string
  readonly namespace: string
  readonly metadata: unknown
}

/** Reads a payload; undefined where Go's decoder would refuse it. */
export function parsePayload(body: string): TaskPayload | undefined {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  if (value === null) return { name: '', namespace: '', metadata: undefined }
  if (typeof value !== 'object' || Array.isArray(value)) return undefined
  const fields = new Map(Object.entries(value))
  const name = fields.get('name') ?? ''
  const namespace = fields.get('namespace') ?? ''
  if (typeof name !== 'string' || typeof namespace !== 'string') return undefined
  return { name, namespace, metadata: fields.get('metadata') }
}

/** The payload's metadata as text by key; empty when there is none. */
export function metadataOf(payload: TaskPayload): ReadonlyMap<string, string> {
  const metadata = payload.metadata
  if (typeof metadata !== 'object' || metadata === null) return new Map()
  return new Map(Object.entries(metadata).map(([key, value]) => [key, String(value)]))
}
