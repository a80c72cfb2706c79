import { Session, type Profiler } from 'node:inspector/promises'

/** Time between two samples of the profiler. */
const SAMPLE_MICROSECONDS = 200
/** A file of the project: its room is the folder below `src` or `test`. */
const ROOM = /\/(?:src|test)\/(.+)\/[^/]+$/

/**
 * Runs something under V8's sampling profiler and tells in which rooms of the project the time went. Code of others
 * counts for the room that called it.
 * @param run - called once
 * @returns share of the time by room, largest first; `garbage collection` and `outside` are rooms too
 */
export async function roomShares(run: () => void): Promise<ReadonlyMap<string, number>> {
  const session = new Session()
  session.connect()
  try {
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_MICROSECONDS })
    await session.post('Profiler.start')
    run()
    const { profile } = await session.post('Profiler.stop')
    return sharesOf(profile)
  } finally {
    session.disconnect()
  }
}

function sharesOf(profile: Profiler.Profile): ReadonlyMap<string, number> {
  const rooms = roomsOfNodes(profile.nodes)
  const times = new Map<string, number>()
  let total = 0
  for (const [index, id] of (profile.samples ?? []).entries()) {
    const time = profile.timeDeltas?.[index] ?? 0
    const room = rooms.get(id) ?? 'outside'
    times.set(room, (times.get(room) ?? 0) + time)
    total += time
  }
  const sorted = [...times].toSorted(([, left], [, right]) => right - left)
  return new Map(sorted.map(([room, time]) => [room, time / total]))
}

/** Room of each node of the call tree: its own, or that of the nearest caller that has one. */
function roomsOfNodes(nodes: readonly Profiler.ProfileNode[]): ReadonlyMap<number, string> {
  const rooms = new Map<number, string>()
  // Parents come before their children.
  for (const node of nodes) {
    const { functionName, url } = node.callFrame
    const own = functionName === '(garbage collector)' ? 'garbage collection' : ROOM.exec(url)?.[1]
    const room = own ?? rooms.get(node.id)
    if (room === undefined) continue
    rooms.set(node.id, room)
    for (const child of node.children ?? []) rooms.set(child, room)
  }
  return rooms
}
