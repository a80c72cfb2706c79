export { type ArrivalSpec, arrivalTimes } from './arrivals.ts'
