/**
 * The scenario document as written, after the schema has accepted it and before units are resolved.
 * Optional fields may be undefined because that is what the schema library yields.
 */
import type { JsonObject } from '../kinds/index.ts'

/** Limits of a number: a plain value, or any of the five comparisons. */
export type RawBound =
  | string
  | number
  | {
      is?: string | number | undefined
      above?: string | number | undefined
      below?: string | number | undefined
      atLeast?: string | number | undefined
      atMost?: string | number | undefined
    }

/** A delay: constant, or the parameters of a distribution. */
export type RawDistribution =
  | string
  | {
      mean?: string | undefined
      stddev?: string | undefined
      median?: string | undefined
      sigma?: number | undefined
      min?: string | undefined
      max?: string | undefined
    }

/** A fault; exactly one of status, delay, reset, notReady, crash. */
export interface RawFault {
  status?: number | undefined
  delay?: RawDistribution | undefined
  reset?: boolean | undefined
  notReady?: boolean | { after: string } | undefined
  crash?: boolean | { after?: string | undefined; exitCode?: number | undefined } | undefined
  ratio?: string | number | undefined
  path?: string | undefined
  method?: string | undefined
  header?: string | undefined
}

/** Behaviour of an image. */
export interface RawImage {
  app: string
  version?: string | undefined
  startup?: string | undefined
  latency?: RawDistribution | undefined
  faults?: RawFault[] | undefined
  options?: Record<string, string | number | boolean> | undefined
}

/** A load of the scenario. */
export interface RawLoad {
  name: string
  to: string
  rate: string | number
  arrivals?: 'constant' | 'poisson' | undefined
  method?: string | undefined
  headers?: Record<string, string> | undefined
  body?: string | undefined
  namespace?: string | undefined
  timeout?: string | undefined
  start?: string | undefined
  end?: string | undefined
}

/** An object reference as `kind/name`, with its namespace beside it. */
export interface RawObjectCondition {
  of: string
  namespace?: string | undefined
  like?: JsonObject | undefined
  absent?: boolean | undefined
}

/** A condition as written. */
export interface RawCondition {
  canary?: string | undefined
  phase?: string | string[] | undefined
  weight?: RawBound | undefined
  milestone?: string | undefined
  event?: string | undefined
  command?: string | undefined
  object?: RawObjectCondition | undefined
  query?: (Exclude<RawBound, string | number> & { expr: string }) | undefined
}

/** What a command must print. */
export interface RawOutput {
  contains?: string | undefined
  lines?: (Exclude<RawBound, string | number> & { like: string }) | undefined
}

/** One step as written; exactly one verb. */
export interface RawStep {
  name?: string | undefined
  wait?: string | (RawCondition & { timeout?: string | undefined }) | undefined
  run?: string | undefined
  from?: string | undefined
  background?: boolean | undefined
  exitCode?: number | 'any' | undefined
  stdout?: RawOutput | RawOutput[] | undefined
  note?: string | undefined
  faults?: Record<string, RawFault[]> | undefined
  apply?: RawManifest[] | undefined
  delete?: { of: string; namespace?: string | undefined } | undefined
  at?: RawCondition | undefined
  after?: string | undefined
  every?: string | undefined
  times?: number | undefined
  until?: RawCondition | undefined
  when?: RawCondition | undefined
  do?: RawStep[] | undefined
}

/** A manifest: a path, or an object written in place. */
export type RawManifest = string | JsonObject

/** One item of a sequence. */
export type RawSequenceItem = string | { event: string; times?: number | string | undefined }

/** One expectation as written; exactly one kind. */
export interface RawExpectation {
  canary?: string | undefined
  sequence?: RawSequenceItem[] | undefined
  ordered?: RawSequenceItem[] | undefined
  never?: RawCondition | undefined
  always?: RawCondition | undefined
  until?: RawCondition | undefined
  holds?: RawCondition | undefined
  within?:
    | (RawCondition & { ticks?: number | undefined; time?: string | undefined; since?: string | undefined })
    | undefined
  count?: (RawCondition & { times: RawBound }) | undefined
  users?:
    | {
        load?: string | undefined
        requests?: RawBound | undefined
        failedRequests?: RawBound | undefined
        versions?: Record<string, RawBound> | undefined
      }
    | undefined
  final?:
    | {
        phase?: string | string[] | undefined
        weight?: RawBound | undefined
        image?: { of: string; namespace?: string | undefined; is: string; container?: string | undefined } | undefined
        replicas?: (Exclude<RawBound, string | number> & { of: string; namespace?: string | undefined }) | undefined
        object?: RawObjectCondition | undefined
      }
    | undefined
  query?: (Exclude<RawBound, string | number> & { expr: string; absent?: boolean | undefined }) | undefined
}

/** The whole document. */
export interface RawScenario {
  apiVersion: 'twin/v1alpha1'
  kind: 'Scenario'
  metadata: { name: string; labels?: Record<string, string> | undefined }
  spec: {
    description?: string | undefined
    seed?: number | undefined
    timeout?: string | undefined
    wallTimeout?: string | undefined
    params?: Record<string, string | number | boolean> | undefined
    matrix?: Record<string, (string | number | boolean)[]> | undefined
    worlds?: { exclude?: { world: string; because: string }[] | undefined } | undefined
    manifests: RawManifest[]
    mesh?: { provider?: string | undefined; adminTraffic?: boolean | undefined } | undefined
    controller?:
      | {
          flags?: Record<string, string | number | boolean> | undefined
          env?: Record<string, string> | undefined
        }
      | undefined
    images: Record<string, RawImage>
    load?: RawLoad[] | undefined
    allowHosts?: string[] | undefined
    steps?: RawStep[] | undefined
    expect: RawExpectation[]
  }
}
