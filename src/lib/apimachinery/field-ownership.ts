import { FieldSet, type PathStep } from './field-set.ts'
import type { MergeType } from './merge-type.ts'
import { mergeTyped, typedErrors } from './typed-merge.ts'
import { compareTyped, removeTyped, typedFieldSet, withNamedFields, type Comparison } from './typed-value.ts'

/** Fields each manager owns, by an identifier of the caller's choice. */
export type Ownership = ReadonlyMap<string, FieldSet>

/** A field two managers want different values for. */
export interface FieldConflict {
  /** Identifier of the manager that owns it now. */
  readonly manager: string
  readonly path: readonly PathStep[]
}

/** What an update leaves: who owns what. */
export interface OwnershipUpdate {
  readonly owners: Ownership
  readonly comparison: Comparison
}

/** What became of an apply. */
export type OwnershipApply =
  | { readonly ok: true; readonly object: unknown; readonly owners: Ownership }
  | { readonly ok: false; readonly conflicts: readonly FieldConflict[] }
  | { readonly ok: false; readonly errors: readonly string[] }

/** Common input of both operations. */
export interface OwnershipInput {
  readonly live: unknown
  readonly type: MergeType
  readonly owners: Ownership
  readonly manager: string
  /** Fields whose changes the server throws away, e.g. `status` on the main resource; default none. */
  readonly ignored?: FieldSet
}

/**
 * Records an update: the manager owns what it added or changed, the others lose what changed or is gone
 * (structured-merge-diff v4/v6 `Updater.Update`).
 * @param input - state before, manager
 * @param next - the whole new object
 */
export function recordUpdate(input: OwnershipInput, next: unknown): OwnershipUpdate {
  const comparison = visible(compareTyped(input.live, next, input.type), input.ignored)
  const { owners } = takeOver(input.owners, input.manager, comparison)
  const result = new Map(owners)
  const { added, modified, removed } = comparison
  if (added.isEmpty && modified.isEmpty && removed.isEmpty) return { owners: result, comparison }
  const before = result.get(input.manager) ?? new FieldSet()
  const after = before.difference(comparison.removed).union(comparison.modified).union(comparison.added)
  if (after.isEmpty) result.delete(input.manager)
  else result.set(input.manager, after)
  return { owners: result, comparison }
}

function visible(comparison: Comparison, ignored: FieldSet | undefined): Comparison {
  if (ignored === undefined) return comparison
  return {
    added: comparison.added.recursiveDifference(ignored),
    modified: comparison.modified.recursiveDifference(ignored),
    removed: comparison.removed.recursiveDifference(ignored)
  }
}

function takeOver(
  owners: Ownership,
  manager: string,
  comparison: Comparison
): { owners: Map<string, FieldSet>; conflicts: Map<string, FieldSet> } {
  const changed = comparison.modified.union(comparison.added)
  const conflicts = new Map<string, FieldSet>()
  const result = new Map<string, FieldSet>()
  for (const [other, set] of owners) {
    if (other === manager) {
      result.set(other, set)
      continue
    }
    const conflict = set.intersection(changed)
    if (!conflict.isEmpty) conflicts.set(other, conflict)
    // Sets nobody touched stay the same object, so that their stored form can be reused.
    if (conflict.isEmpty && set.intersection(comparison.removed).isEmpty) {
      if (!set.isEmpty) result.set(other, set)
      continue
    }
    const rest = set.difference(conflict).difference(comparison.removed)
    if (!rest.isEmpty) result.set(other, rest)
  }
  return { owners: result, conflicts }
}

/**
 * Applies a configuration: merges it, removes what the manager no longer states and nobody else owns, finds conflicts
 * (structured-merge-diff v4/v6 `Updater.Apply`).
 * @param input - state before, manager
 * @param config - applied configuration
 * @param force - takes conflicting fields over
 */
export function recordApply(input: OwnershipInput, config: unknown, force: boolean): OwnershipApply {
  const errors = typedErrors(config, input.type)
  if (errors.length > 0) return { ok: false, errors }
  const last = input.owners.get(input.manager)
  const stated = typedFieldSet(config, input.type)
  const owners = new Map(input.owners)
  owners.set(input.manager, input.ignored === undefined ? stated : stated.recursiveDifference(input.ignored))
  const merged = mergeTyped(input.live, config, input.type)
  const next = pruneAbandoned(merged, input.type, owners, last)
  const comparison = visible(compareTyped(input.live, next, input.type), input.ignored)
  const taken = takeOver(owners, input.manager, comparison)
  if (!force && taken.conflicts.size > 0) return { ok: false, conflicts: listConflicts(taken.conflicts) }
  if (taken.owners.get(input.manager)?.isEmpty === true) taken.owners.delete(input.manager)
  return { ok: true, object: next, owners: taken.owners }
}

function listConflicts(conflicts: ReadonlyMap<string, FieldSet>): FieldConflict[] {
  return [...conflicts].flatMap(([manager, set]) => [...set.paths()].map((path) => ({ manager, path })))
}

/** Removes fields of the manager's last configuration, then adds back what others own and what hangs below. */
function pruneAbandoned(merged: unknown, type: MergeType, owners: Ownership, last: FieldSet | undefined): unknown {
  if (last === undefined || last.isEmpty) return merged
  const lastNamed = withNamedFields(last, type)
  const mergedSet = withNamedFields(typedFieldSet(merged, type), type)
  let owned = new FieldSet()
  for (const set of owners.values()) owned = owned.union(set)
  let pruned = removeTyped(merged, type, lastNamed)
  const kept = withNamedFields(typedFieldSet(pruned, type), type).union(withNamedFields(owned, type))
  pruned = removeTyped(merged, type, mergedSet.difference(kept))
  const prunedSet = withNamedFields(typedFieldSet(pruned, type), type)
  return removeTyped(merged, type, mergedSet.difference(prunedSet).intersection(lastNamed))
}
