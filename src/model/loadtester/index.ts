export { createLoadTester, type LoadTester, type LoadTesterOptions, type LoadTesterRequest } from './load-tester.ts'
export type {
  LoadTesterAnswer,
  LoadTesterEffect,
  LoadTesterEffectResult,
  LoadTesterPlan,
  LoadTesterTask,
  ShellResult
} from './plan.ts'
