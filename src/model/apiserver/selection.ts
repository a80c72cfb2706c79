import {
  badRequestStatus,
  goQuote,
  isJsonMap,
  matchesLabelSelector,
  parseFieldSelector,
  parseLabelSelector,
  type FieldTerm,
  type LabelSelector
} from '../../lib/apimachinery/index.ts'
import type { KubeObject } from '../../kinds/index.ts'
import type { ResourceCall } from './core.ts'
import { refuse } from './refusal.ts'
import type { ResourceInfo } from './resources.ts'
import { evaluateSimplePath } from './json-path.ts'

/** Field labels of built-in kinds besides metadata.name and metadata.namespace, with where their value is. */
const FIELDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '/pods': {
    'spec.nodeName': '.spec.nodeName',
    'spec.restartPolicy': '.spec.restartPolicy',
    'spec.schedulerName': '.spec.schedulerName',
    'spec.serviceAccountName': '.spec.serviceAccountName',
    'spec.hostNetwork': '.spec.hostNetwork',
    'status.phase': '.status.phase',
    'status.podIP': '.status.podIP',
    'status.podIPs': '.status.podIP',
    'status.nominatedNodeName': '.status.nominatedNodeName'
  },
  '/events': {
    'involvedObject.kind': '.involvedObject.kind',
    'involvedObject.namespace': '.involvedObject.namespace',
    'involvedObject.name': '.involvedObject.name',
    'involvedObject.uid': '.involvedObject.uid',
    'involvedObject.apiVersion': '.involvedObject.apiVersion',
    'involvedObject.resourceVersion': '.involvedObject.resourceVersion',
    'involvedObject.fieldPath': '.involvedObject.fieldPath',
    reason: '.reason',
    reportingComponent: '.reportingComponent',
    source: '.source.component',
    type: '.type'
  },
  'events.k8s.io/events': {
    'regarding.kind': '.involvedObject.kind',
    'regarding.namespace': '.involvedObject.namespace',
    'regarding.name': '.involvedObject.name',
    'regarding.uid': '.involvedObject.uid',
    'regarding.apiVersion': '.involvedObject.apiVersion',
    'regarding.resourceVersion': '.involvedObject.resourceVersion',
    'regarding.fieldPath': '.involvedObject.fieldPath',
    reason: '.reason',
    reportingController: '.reportingComponent',
    type: '.type'
  },
  '/namespaces': { 'status.phase': '.status.phase' },
  '/nodes': { 'spec.unschedulable': '.spec.unschedulable' },
  '/secrets': { type: '.type' },
  '/services': { 'spec.clusterIP': '.spec.clusterIP', 'spec.type': '.spec.type' },
  '/replicationcontrollers': { 'status.replicas': '.status.replicas' },
  'apps/replicasets': { 'status.replicas': '.status.replicas' },
  'batch/jobs': { 'status.successful': '.status.succeeded' }
}

/** Fields whose absence reads as a word. */
const ABSENT: Readonly<Record<string, string>> = {
  'spec.hostNetwork': 'false',
  'spec.unschedulable': 'false',
  'status.replicas': '0',
  'status.successful': '0'
}

/** Which objects a list or watch is about. */
export interface Selection {
  matches(object: KubeObject): boolean
  /** Whether at most one object of a namespace can match. */
  readonly isSingle: boolean
  /** Whether everything matches. */
  readonly isEverything: boolean
}

const EVERYTHING: Selection = { matches: () => true, isSingle: false, isEverything: true }

/**
 * Reads label and field selector of a request.
 * @param call - the request
 */
export function readSelection(call: ResourceCall): Selection {
  const labels = call.query['labelSelector'] ?? ''
  const fields = call.query['fieldSelector'] ?? ''
  const byName = call.path.name
  if (labels === '' && fields === '' && byName === undefined) return EVERYTHING
  const labelSelector = labels === '' ? undefined : readLabels(labels)
  const terms = fields === '' ? [] : readFields(call.info, fields)
  const values = terms.map((term) => ({ term, path: fieldPathOf(call.info, term.field) }))
  return {
    isEverything: false,
    isSingle: terms.some((term) => term.field === 'metadata.name' && term.equal),
    matches: (object) =>
      (byName === undefined || object.metadata.name === byName) &&
      (labelSelector === undefined || matchesLabelSelector(labelSelector, object.metadata.labels)) &&
      values.every(({ term, path }) => (fieldValue(object, term.field, path) === term.value) === term.equal)
  }
}

function readLabels(text: string): LabelSelector {
  const parsed = parseLabelSelector(text)
  return parsed.ok ? parsed.value : refuse(badRequestStatus(parsed.message))
}

function readFields(info: ResourceInfo, text: string): readonly FieldTerm[] {
  const parsed = parseFieldSelector(text)
  if (!parsed.ok) return refuse(badRequestStatus(parsed.message))
  for (const { field } of parsed.value) if (fieldPathOf(info, field) === undefined) refuseField(info, field)
  return parsed.value
}

function refuseField(info: ResourceInfo, field: string): never {
  const hasOwn = info.crd !== undefined || FIELDS[`${info.group}/${info.resource}`] !== undefined
  if (hasOwn) return refuse(badRequestStatus(`field label not supported: ${field}`))
  return refuse(
    badRequestStatus(`${goQuote(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`)
  )
}

function fieldPathOf(info: ResourceInfo, field: string): string | undefined {
  if (field === 'metadata.name' || (field === 'metadata.namespace' && info.namespaced)) return `.${field}`
  if (field === 'metadata.namespace' && info.crd === undefined) return `.${field}`
  if (info.crd !== undefined) return info.crd.selectableFields.find((path) => path === `.${field}`)
  return FIELDS[`${info.group}/${info.resource}`]?.[field]
}

function fieldValue(object: KubeObject, field: string, path: string | undefined): string {
  const value = path === undefined ? undefined : evaluateSimplePath(object, path)
  if (value === undefined || value === null) return ABSENT[field] ?? ''
  return isJsonMap(value) || Array.isArray(value) ? '' : String(value)
}
