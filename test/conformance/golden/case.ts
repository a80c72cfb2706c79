import type { KubeObject } from '../../../src/kinds/index.ts'
import type { PodRule } from '../../../src/world/cluster/index.ts'

/** An answer of a metric: number, special text, several series, other shapes, or raw HTTP. */
export type MetricAnswer =
  | number
  | string
  | { readonly vector: readonly (number | string)[] }
  | { readonly matrix: string }
  | { readonly scalar: string }
  | { readonly status: number; readonly body: string }

/** An answer of a webhook: a status, or more. */
export type WebhookAnswer =
  | number
  | {
      readonly status: number
      readonly body?: string
      readonly delayMs?: number
      readonly headers?: Readonly<Record<string, string>>
    }

/** When a script step is due. */
export interface Trigger {
  readonly tick?: number
  readonly event?: string
  readonly nth?: number
  readonly phase?: string
  readonly plus?: number
}

/** The next matching writes of the controller get an error instead of being executed. */
export interface ApiFault {
  readonly verb: string
  readonly resource: string
  readonly name?: string
  readonly subresource?: string
  readonly times?: number
  readonly code: number
  readonly reason?: string
  readonly message: string
}

interface Reference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly namespace?: string
}

/** One action of a script step; exactly one field is set. */
export interface Action {
  readonly patch?: Reference & {
    readonly type: 'merge' | 'json' | 'strategic'
    readonly subresource?: string
    readonly body: unknown
  }
  readonly create?: KubeObject
  readonly apply?: KubeObject
  readonly delete?: {
    readonly apiVersion: string
    readonly kind: string
    readonly metadata: { readonly name: string; readonly namespace?: string }
  }
  readonly setWebhook?: { readonly path: string; readonly answers: readonly WebhookAnswer[] }
  readonly setMetric?: { readonly name: string; readonly answers: readonly MetricAnswer[] }
  readonly setPods?: readonly PodRule[]
  readonly unready?: { readonly workload: string; readonly image?: string }
  readonly gateway?: GatewayMode
  readonly apiFault?: ApiFault
  readonly restartController?: { readonly signal?: string }
  readonly waitMs?: number
}

/** What the gateway controller does. */
export type GatewayMode = 'accept' | 'none' | 'lag' | 'reject'

/** A case of the golden pack (FORMAT.md section 2). */
export interface GoldenCase {
  readonly id: string
  readonly title?: string
  readonly namespace: string
  readonly extraNamespaces?: readonly string[]
  readonly flags?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly manifests: readonly KubeObject[]
  readonly canary: KubeObject
  readonly metrics: readonly {
    readonly name: string
    readonly match: string
    readonly answers: readonly MetricAnswer[]
  }[]
  readonly webhooks: Readonly<Record<string, readonly WebhookAnswer[]>>
  readonly pods: readonly PodRule[]
  readonly gateway?: GatewayMode
  readonly script: readonly { readonly after: Trigger; readonly do: readonly Action[] }[]
  readonly until: Trigger
  readonly maxTicks: number
  readonly idleSeconds?: number
  readonly recordApiEvents?: boolean
  readonly logs?: readonly string[]
}

/** A record of a trace; its fields depend on `t`. */
export type TraceRecord = { readonly t: string } & Record<string, unknown>

/** One tick of a trace. */
export interface TraceTick {
  readonly n: number
  readonly records: TraceRecord[]
  after?: Record<string, unknown>
  between?: TraceRecord[]
}

/** A trace of the golden pack (FORMAT.md section 3). */
export interface GoldenTrace {
  readonly case: string
  readonly ticks: TraceTick[]
  final?: Record<string, unknown>
  apiEvents?: Record<string, unknown>[]
  logs?: Record<string, unknown>[]
  controllerMetrics?: string[]
}
