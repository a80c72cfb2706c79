/** A recorded case of the data-plane proxy. */
export interface ProxyCase {
  readonly id: string
  readonly kind: 'exact' | 'distribution'
  readonly proxyVersion: string
  readonly topology: { readonly pods: readonly CasePod[]; readonly services: readonly CaseService[] }
  readonly steps: readonly CaseStep[]
  readonly labelSets: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly observed: {
    readonly responses?: readonly CaseResponse[]
    readonly scrapes?: readonly CaseScrape[]
    readonly repeats?: readonly { readonly loads: readonly CaseLoad[] }[]
  }
}

export interface CasePod {
  readonly name: string
  readonly ip: string
  readonly meshed: boolean
  readonly app: boolean
  readonly namespace?: string
  readonly deployment?: string
  readonly serviceAccount?: string
  readonly probes?: readonly string[]
  readonly inbound?: unknown
  readonly env?: Readonly<Record<string, string>>
}

export interface CaseRoute {
  readonly name: string
  readonly backends: readonly { readonly service: string; readonly weight: number }[]
  readonly header?: Readonly<Record<string, string>>
  readonly timeouts?: Readonly<Record<string, number>>
  readonly retry?: Readonly<Record<string, unknown>>
}

export interface CaseService {
  readonly name: string
  readonly ip: string
  readonly port: number
  readonly endpoints: readonly string[]
  readonly routes?: readonly CaseRoute[]
  readonly profile?: {
    readonly dstOverrides?: readonly { readonly service: string; readonly weight: number }[]
    readonly routes?: readonly unknown[]
  }
  readonly accrual?: unknown
  readonly retry?: Readonly<Record<string, unknown>>
  readonly timeouts?: Readonly<Record<string, number>>
}

export interface AppScript {
  readonly status?: number
  readonly delay_ms?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly size?: number
  readonly chunks?: readonly (readonly [number, number])[]
  readonly trailers?: Readonly<Record<string, string>>
  readonly before?: 'reset' | 'close' | 'hang'
  readonly end?: 'reset' | 'close' | 'hang'
  readonly failEvery?: number
}

export interface CaseStep {
  readonly n: number
  readonly t: number | 'before' | 'end'
  readonly op: string
  readonly from?: string
  readonly to?: string
  readonly proto?: string
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly bodyChunks?: unknown
  readonly abortAfter_ms?: number
  readonly limit_bytes?: number
  readonly repeat?: number
  readonly gap_ms?: number
  readonly app?: AppScript
  readonly pod?: string
  readonly on?: boolean
  readonly service?: string
  readonly set?: readonly string[]
  readonly routes?: readonly CaseRoute[]
  readonly profile?: CaseService['profile'] | null
  readonly count?: number
  readonly concurrency?: number
  readonly rate?: number
}

export interface CaseResponse {
  readonly step: number
  readonly i: number
  /** A number, or a band of those seen. */
  readonly status?: unknown
  readonly servedBy?: string
  readonly error?: string
  readonly headers?: Readonly<Record<string, unknown>>
}

export interface CaseScrape {
  readonly step: number
  readonly pod: string
  readonly families: Readonly<
    Record<string, { readonly type: string; readonly series: Readonly<Record<string, unknown>> }>
  >
}

export interface CaseLoad {
  readonly step: number
  readonly n: number
  readonly byPod: Readonly<Record<string, number>>
  readonly byStatus: Readonly<Record<string, number>>
  readonly byPodAndStatus: Readonly<Record<string, number>>
}
