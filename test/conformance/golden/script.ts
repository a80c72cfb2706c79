import type { ApiResponse } from '../../../src/kinds/index.ts'
import type { Action, ApiFault, Trigger } from './case.ts'
import type { Environment } from './environment.ts'
import type { ScriptedHosts } from './http.ts'
import { kindPath } from './kinds.ts'

const PATCH_TYPES = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json'
} as const

/** What a trigger looks at. */
export interface Progress {
  readonly tick: number
  readonly phase: string
  readonly events: readonly string[]
}

/** Tells when a trigger is met for the first time, and the ticks that it waits for after that. */
export class TriggerWatch {
  readonly #trigger: Trigger
  #metAt: number | undefined

  constructor(trigger: Trigger) {
    this.#trigger = trigger
  }

  /** Whether the trigger is due after this tick. */
  isDue(progress: Progress): boolean {
    this.#metAt ??= this.#isMet(progress) ? progress.tick : undefined
    return this.#metAt !== undefined && progress.tick >= this.#metAt + (this.#trigger.plus ?? 0)
  }

  #isMet({ tick, phase, events }: Progress): boolean {
    const { tick: wanted, event, nth = 1, phase: wantedPhase } = this.#trigger
    if (wanted !== undefined) return tick >= wanted
    if (event !== undefined) return events.filter((message) => message.includes(event)).length >= nth
    return phase === wantedPhase
  }
}

/** What actions need. */
export interface ScriptPorts {
  readonly namespace: string
  readonly environment: Environment
  readonly hosts: ScriptedHosts
  readonly faults: ApiFault[]
}

/** Executes one action; gives the server's answer where there is one. */
export function execute(action: Action, ports: ScriptPorts): ApiResponse | undefined {
  const { environment, hosts, namespace } = ports
  if (action.patch !== undefined) return patch(action.patch, ports)
  if (action.create !== undefined) return environment.create(action.create, namespace)
  if (action.apply !== undefined) return apply(action.apply, ports)
  if (action.delete !== undefined) {
    const { apiVersion, kind, metadata } = action.delete
    const path = kindPath(apiVersion, kind, metadata.namespace ?? namespace, metadata.name)
    return environment.send({ method: 'DELETE', path, body: { propagationPolicy: 'Background' } })
  }
  if (action.setWebhook !== undefined) hosts.setWebhook(action.setWebhook.path, action.setWebhook.answers)
  if (action.setMetric !== undefined) hosts.setMetric(action.setMetric.name, action.setMetric.answers)
  if (action.setPods !== undefined) {
    environment.runtime.setRules(action.setPods)
    environment.refreshPods()
  }
  if (action.unready !== undefined) {
    environment.runtime.loseReadiness(action.unready, environment.api.list('', 'pods'))
    environment.refreshPods()
  }
  if (action.gateway !== undefined) environment.gateway = action.gateway
  if (action.apiFault !== undefined) ports.faults.push({ ...action.apiFault })
  return undefined
}

function patch(action: NonNullable<Action['patch']>, { environment, namespace }: ScriptPorts): ApiResponse {
  const path = kindPath(action.apiVersion, action.kind, action.namespace ?? namespace, action.name)
  return environment.send({
    method: 'PATCH',
    path: action.subresource === undefined ? path : `${path}/${action.subresource}`,
    headers: { 'content-type': PATCH_TYPES[action.type] },
    body: action.body
  })
}

function apply(object: NonNullable<Action['apply']>, { environment, namespace }: ScriptPorts): ApiResponse {
  const place = object.metadata.namespace ?? namespace
  const path = kindPath(object.apiVersion, object.kind, place, object.metadata.name)
  const existing = environment.send({ method: 'GET', path })
  if (existing.code === 404) return environment.create(object, namespace)
  return environment.send({ method: 'PATCH', path, headers: { 'content-type': PATCH_TYPES.merge }, body: object })
}
