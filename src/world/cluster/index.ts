export { type Cluster, type ClusterApi, type ClusterOptions, createCluster } from './cluster.ts'
export {
  type InstantRuntime,
  type InstantRuntimeOptions,
  type PodRule,
  createInstantRuntime,
  workloadOf
} from './instant-runtime.ts'
