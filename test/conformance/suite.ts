/** What became of one case of a conformance pack. */
export interface CaseOutcome {
  /** Stable name of the case, e.g. `aggregators.test:12`. */
  readonly id: string
  readonly passed: boolean
  /** First difference, both sides, for a failed case. */
  readonly firstDifference?: string
}

/** A runner over a folder of recorded cases of one format. */
export interface ConformanceSuite {
  /** Name on the command line. */
  readonly name: string
  /** Folder of the pack relative to the shared folder, e.g. `conformance/promql`. */
  readonly defaultFolder: string
  /**
   * Runs every case of a folder of that format, in a stable order.
   * @param folder - absolute path
   * @param options - `--key value` flags of the command line
   */
  run(folder: string, options: Readonly<Record<string, string>>): AsyncIterable<CaseOutcome>
}
