import { defineCommand } from 'just-bash'
import type { Command } from 'just-bash'
import type { ShellSession } from '../session.ts'
import {
  applyManifests,
  createObjects,
  deleteObjects,
  patchObject,
  restartRollout,
  scaleObjects,
  setImage,
  setMetadata
} from './change.ts'
import { createKubeClient, type KubeClient, KubectlError } from './client.ts'
import { type KubectlContext, type KubectlOutcome, readOptions } from './context.ts'
import { getObjects } from './get.ts'
import { describeObjects, execInPod, printLogs, rolloutStatus, waitFor } from './observe.ts'

export { applyObject, readManifest, type Applied } from './apply.ts'
export { createKubeClient, type FirstDiscovery, KubectlError, type KubeClient, type ResourceKind } from './client.ts'

/** Runs a command in a pod, as `kubectl exec` asks for. */
export type PodRunner = (
  namespace: string,
  pod: string,
  container: string | undefined,
  command: string
) => Promise<{ readonly stdout: string; readonly stderr: string; readonly exitCode: number }>

/**
 * The shell's own `kubectl`: the commands that tutorials and scenarios type (apply, create, delete, get, describe, set
 * image, annotate, label, scale, patch, rollout, wait, logs, exec), in upstream's words (1.34).
 */
export function kubectlCommand(session: ShellSession, client: KubeClient, runInPod: PodRunner): Command {
  return defineCommand('kubectl', async (args, shell) => {
    try {
      const { before, after } = splitDashes(args)
      const options = readOptions(before)
      const [verb, ...words] = options.rest
      const context: KubectlContext = {
        session,
        shell,
        client,
        options,
        words: [...words, ...after],
        namespace: options.values.get('namespace') ?? homeNamespace(session),
        signal: shell.signal ?? session.signal
      }
      const outcome = await dispatch(context, verb, runInPod)
      return { stdout: outcome.stdout, stderr: outcome.stderr ?? '', exitCode: outcome.exitCode ?? 0 }
    } catch (error) {
      if (!(error instanceof KubectlError)) throw error
      return { stdout: '', stderr: `${error.message}\n`, exitCode: error.exitCode }
    }
  })
}

/** Words after `--` belong to the command that is executed, dashes and all. */
function splitDashes(args: readonly string[]): {
  readonly before: readonly string[]
  readonly after: readonly string[]
} {
  const dashes = args.indexOf('--')
  return dashes < 0 ? { before: args, after: [] } : { before: args.slice(0, dashes), after: args.slice(dashes + 1) }
}

function homeNamespace(session: ShellSession): string {
  return session.place.kind === 'pod' ? session.place.namespace : 'default'
}

async function dispatch(
  context: KubectlContext,
  verb: string | undefined,
  runInPod: PodRunner
): Promise<KubectlOutcome> {
  switch (verb) {
    case 'apply':
      return applyManifests(context)
    case 'create':
      return createObjects(context)
    case 'delete':
      return deleteObjects(context)
    case 'get':
      return getObjects(context)
    case 'describe':
      return describeObjects(context)
    case 'set':
      return setImage(context)
    case 'annotate':
      return setMetadata(context, 'annotations')
    case 'label':
      return setMetadata(context, 'labels')
    case 'scale':
      return scaleObjects(context)
    case 'patch':
      return patchObject(context)
    case 'rollout':
      return dispatchRollout(context)
    case 'wait':
      return waitFor(context)
    case 'logs':
      return printLogs(context)
    case 'exec':
      return execInPod(context, context.words, (pod, command) =>
        runInPod(context.namespace, pod, context.options.values.get('container'), command)
      )
    case 'version':
      return { stdout: 'Client Version: v1.34.0\n' }
    default:
      throw new KubectlError(
        `error: kubectl ${verb ?? ''} is not modelled in the world shell; modelled are apply, create, delete, get, describe, set image, annotate, label, scale, patch, rollout, wait, logs, exec`
      )
  }
}

function dispatchRollout(context: KubectlContext): Promise<KubectlOutcome> {
  const [action, ...words] = context.words
  if (action === 'status') return rolloutStatus(context, words)
  if (action === 'restart') return Promise.resolve(restartRollout(context, words))
  throw new KubectlError(`error: kubectl rollout ${action ?? ''} is not modelled in the world shell`)
}

/** A client for one shell; discovery is read once and again when a name is unknown. */
export function shellKubeClient(session: Pick<ShellSession, 'ports'>): KubeClient {
  return createKubeClient((request) => session.ports.api(request))
}
