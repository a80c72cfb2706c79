export type { CommandResult, LoadTotals, World, WorldAddresses, WorldFigures, WorldSpec, WorldTime } from './world.ts'
