export { draw, type Random, randomStream } from './stream.ts'
