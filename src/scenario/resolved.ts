import type {
  AppSpec,
  Condition,
  ControllerSpec,
  Expectation,
  KubeObject,
  LoadSpec,
  MeshSpec,
  Place
} from '../kinds/index.ts'
import type { Bound } from '../kinds/index.ts'
import type { ManifestPlace } from './manifest-place.ts'

/** What a command must print: a text it contains, or how many of its lines look like a pattern (`*` is any text). */
export type OutputCheck =
  | { readonly kind: 'contains'; readonly text: string }
  | { readonly kind: 'lines'; readonly like: string; readonly bound: Bound }

/** What a step does. */
export type StepBody =
  | { readonly kind: 'wait'; readonly condition: Condition; readonly timeoutMs?: number }
  | { readonly kind: 'sleep'; readonly ms: number }
  | {
      readonly kind: 'run'
      readonly command: string
      /** `namespace/deployment`; absent: the operator's terminal. */
      readonly from?: string
      readonly background: boolean
      readonly name?: string
      readonly exitCode: number | 'any'
      readonly stdout: readonly OutputCheck[]
    }
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'faults'; readonly images: Readonly<Record<string, AppSpec>> }
  | { readonly kind: 'apply'; readonly objects: readonly KubeObject[] }
  | { readonly kind: 'delete'; readonly objectKind: string; readonly name: string; readonly namespace?: string }
  /** The first time the condition holds. */
  | { readonly kind: 'at'; readonly condition: Condition; readonly steps: readonly Step[] }
  | { readonly kind: 'after'; readonly ms: number; readonly steps: readonly Step[] }
  | {
      readonly kind: 'every'
      readonly ms: number
      readonly times?: number
      readonly until?: Condition
      readonly steps: readonly Step[]
    }
  /** Each time the condition begins to hold. */
  | { readonly kind: 'when'; readonly condition: Condition; readonly times?: number; readonly steps: readonly Step[] }

/** A step with its place in the file. */
export type Step = StepBody & { readonly place: Place; readonly text: string }

/** One case, complete: no defaults left to fill in, no units left to read. Plain data, so that it can be sent to a worker. */
export interface ResolvedScenario {
  /** Name of the scenario, with the values of its matrix behind it. */
  readonly name: string
  /** As the file is named on the command line. */
  readonly file: string
  readonly description?: string
  readonly labels: Readonly<Record<string, string>>
  /** Values of the parameters this case runs with. */
  readonly params: Readonly<Record<string, string | number | boolean>>
  readonly seed: number
  /** Budget in simulated milliseconds. */
  readonly timeoutMs: number
  /** Budget in wall milliseconds. */
  readonly wallTimeoutMs: number
  /** Worlds it does not run in, with the reason. */
  readonly excludedWorlds: Readonly<Record<string, string>>
  readonly manifests: readonly KubeObject[]
  /** Where each of them stands, in the same order. */
  readonly manifestPlaces: readonly ManifestPlace[]
  readonly images: Readonly<Record<string, AppSpec>>
  readonly mesh: MeshSpec
  readonly controller: ControllerSpec
  readonly load: readonly LoadSpec[]
  readonly allowHosts: readonly string[]
  readonly steps: readonly Step[]
  readonly expect: readonly Expectation[]
  /** SHA-256 over everything above that decides what happens. */
  readonly inputsDigest: string
}
