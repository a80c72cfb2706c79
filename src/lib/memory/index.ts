export { keptByText, keptOfFrozen } from './kept.ts'
