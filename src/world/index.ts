export type { CommandResult, LoadTotals, World, WorldFigures, WorldSpec, WorldTime } from './world.ts'
