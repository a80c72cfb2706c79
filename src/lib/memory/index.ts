export { keptByParts, keptByText, keptOfFrozen } from './kept.ts'
