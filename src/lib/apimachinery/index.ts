export {
  copyOf,
  copyWith,
  deepCopy,
  deepEqual,
  deepFreeze,
  goQuote,
  goValueText,
  isEmptyMap,
  isJsonMap,
  mapShared,
  sameMembers,
  setMember,
  stableStringify,
  withoutMembers,
  withoutUndefined,
  type JsonMap
} from './json.ts'
export {
  OPTIMISTIC_LOCK_MESSAGE,
  alreadyExistsStatus,
  badRequestStatus,
  conflictStatus,
  expiredStatus,
  forbiddenStatus,
  internalErrorStatus,
  invalidStatus,
  methodNotAllowedStatus,
  notFoundStatus,
  qualifiedName,
  statusFailure,
  unknownResourceStatus,
  unsupportedMediaTypeStatus,
  type FailureStatus,
  type GroupName,
  type StatusCause,
  type StatusDetails
} from './status.ts'
export {
  OMITTED_VALUE,
  PrintedValue,
  duplicateError,
  fieldErrorBody,
  fieldErrorCause,
  fieldErrorText,
  fieldPath,
  forbiddenError,
  indexPath,
  invalidError,
  notFoundError,
  notSupportedError,
  requiredError,
  tooLongError,
  tooManyError,
  typeInvalidError,
  type FieldError,
  type FieldErrorType
} from './field-error.ts'
export {
  EVERYTHING,
  NOTHING,
  labelSelectorText,
  matchesFieldSelector,
  matchesLabelSelector,
  parseFieldSelector,
  parseLabelSelector,
  selectorFromLabels,
  selectorFromObject,
  type FieldTerm,
  type LabelSelector,
  type Requirement,
  type SelectorOperator,
  type SelectorOutcome
} from './selector.ts'
export {
  configKeyProblems,
  dns1035LabelProblems,
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  wildcardDomainProblems,
  envVarNameProblems,
  labelKeyProblems,
  labelValueProblems,
  portNameProblems,
  portNumberProblems,
  qualifiedNameProblems
} from './names.ts'
export {
  QUANTITY_SYNTAX_MESSAGE,
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  quantityMilliValue,
  quantityNumber,
  type Quantity
} from './quantity.ts'
export { applyJsonPatch, type JsonPatchDialect, type PatchOutcome } from './json-patch.ts'
export { applyMergePatch } from './merge-patch.ts'
export { applyStrategicMergePatch } from './strategic-merge-patch.ts'
export {
  resolveSchema,
  type CelRule,
  type OpenApiSchema,
  type ResolvedSchema,
  type SchemaDefinitions
} from './openapi.ts'
export { fnv1a32, fnv1a32Numbered, hashObject } from './pod-template-hash.ts'
export { compileCrd, type CompiledCrd, type CompiledCrdVersion, type PrinterColumn, type ScalePaths } from './crd.ts'
export { defaultBySchema, pruneBySchema, type PruneResult } from './crd-pruning.ts'
export { validateAgainstSchema } from './crd-schema-validation.ts'
export { FieldSet, decodeFieldSet, encodeFieldSet, fieldPathText, fieldStep, type PathStep } from './field-set.ts'
export {
  DEDUCED,
  mergeTypeFromOpenApi,
  type DeducedType,
  type ListType,
  type MapType,
  type MergeType,
  type ScalarType
} from './merge-type.ts'
export {
  recordApply,
  recordUpdate,
  type FieldConflict,
  type Ownership,
  type OwnershipApply,
  type OwnershipInput,
  type OwnershipUpdate
} from './field-ownership.ts'
export type { Comparison } from './typed-value.ts'
export {
  resetFieldSet,
  serverSideApply,
  trackUpdate,
  type ApplyInput,
  type ApplyOutcome,
  type FieldWriter,
  type ManagedFieldsEntry,
  type TrackUpdateInput
} from './managed-fields.ts'
export { trackedEntriesLater, trackUpdateLater } from './deferred-fields.ts'
export { deferredList, deferredNote } from './deferred-list.ts'
export { RecentResults } from './recent-results.ts'
export { SoundValues } from './sound-values.ts'
export { takenOver } from './taken-over.ts'
export { isIpv4, isIpv6 } from './crd-formats.ts'
export { compileCel, type CelProgram } from './cel-environment.ts'
