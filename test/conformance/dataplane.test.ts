import { describeFloors } from './floor.ts'
import { suite as linkerdProxy } from './linkerd-proxy.suite.ts'
import { suite as loadtester } from './loadtester.suite.ts'
import { suite as podinfo } from './podinfo.suite.ts'

// Counts reached; they may only grow.
describeFloors('conformance of the data plane', [
  { suite: podinfo, floor: 275 },
  { suite: loadtester, floor: 45 },
  { suite: linkerdProxy, floor: 123 }
])
