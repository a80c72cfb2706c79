import type { Instant, Scheduled } from '../../lib/time/index.ts'
import type { ObjectKey, Plan, ReconcileContext, Requeue } from '../../model/controllers/index.ts'
import type { PlainController } from './controllers.ts'
import type { Work } from './work-queue.ts'

/** A controller's look at one object, the same one every time. */
export interface Task extends Work {
  readonly plan: () => Plan<Requeue>
  /** How often it was given up in succession. */
  failures: number
  /** The next look that is due without a change. */
  planned: { readonly due: Instant; readonly scheduled: Scheduled } | undefined
  /** It waits only to have its next look planned for then; undefined: it waits for the look itself. */
  plansFor: Instant | undefined
}

/** A task that nothing has been done about yet. @param perform - does what it waits for */
export function newTask(level: number, plan: () => Plan<Requeue>, perform: (task: Task) => void): Task {
  const task: Task = {
    level,
    plan,
    run: () => perform(task),
    waiting: false,
    failures: 0,
    planned: undefined,
    plansFor: undefined
  }
  return task
}

/** Most tasks of one controller that are kept; one that waits as they are forgotten may be done twice. */
const TASKS_MAX = 10_000

/** What the tasks of a controller work with. */
export interface TaskPort {
  context(): ReconcileContext
  perform(task: Task): void
}

/** The tasks of one controller, by the object they look after. */
export class ControllerTasks {
  /** The controller does not run. */
  readonly off: boolean
  readonly #controller: PlainController
  readonly #port: TaskPort
  readonly #namespaces = new Map<string | undefined, Map<string, Task>>()
  #size = 0

  constructor(controller: PlainController, port: TaskPort, off: boolean) {
    this.#controller = controller
    this.#port = port
    this.off = off
  }

  /** The task of an object. */
  of(namespace: string | undefined, name: string): Task {
    return this.#namespaces.get(namespace)?.get(name) ?? this.#add(namespace, name)
  }

  #add(namespace: string | undefined, name: string): Task {
    if (this.#size >= TASKS_MAX) {
      this.#namespaces.clear()
      this.#size = 0
    }
    const { level, reconcile } = this.#controller
    const port = this.#port
    const key: ObjectKey = namespace === undefined ? { name } : { namespace, name }
    const task = newTask(
      level,
      () => reconcile(port.context(), key),
      (due) => port.perform(due)
    )
    let tasks = this.#namespaces.get(namespace)
    if (tasks === undefined) this.#namespaces.set(namespace, (tasks = new Map()))
    tasks.set(name, task)
    this.#size += 1
    return task
  }
}
