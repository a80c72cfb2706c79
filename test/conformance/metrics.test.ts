import { suite as exposition } from './exposition.suite.ts'
import { describeFloors } from './floor.ts'
import { suite as linkerd } from './linkerd.suite.ts'
import { suite as promHttp } from './prom-http.suite.ts'
import { suite as promql } from './promql.suite.ts'

// Counts reached; they may only grow.
describeFloors('conformance of metrics', [
  { suite: exposition, floor: 379 },
  { suite: linkerd, floor: 560 },
  { suite: promHttp, floor: 194 },
  { suite: promql, floor: 1711 }
])
