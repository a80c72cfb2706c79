/** A temporary folder of scenario files, removed after the test. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'

/** Writes files into a new folder. @returns the folder's path */
export function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'twin-scenario-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

/** A Deployment and a Canary of podinfo. */
export const MANIFESTS = `apiVersion: apps/v1
kind: Deployment
metadata: { name: podinfo, namespace: test }
spec:
  selector: { matchLabels: { app: podinfo } }
  template:
    metadata: { labels: { app: podinfo } }
    spec:
      containers:
        - name: podinfod
          image: stefanprodan/podinfo:3.1.0
---
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: { name: podinfo, namespace: test }
spec:
  targetRef: { apiVersion: apps/v1, kind: Deployment, name: podinfo }
  service: { port: 9898 }
  analysis: { interval: 10s, threshold: 3, stepWeight: 10, maxWeight: 20 }
`

/** A scenario over {@link MANIFESTS}; `change` edits its text. */
export function scenarioText(change: (text: string) => string = (text) => text): string {
  return change(`apiVersion: twin/v1alpha1
kind: Scenario
metadata: { name: promote }
spec:
  manifests: [manifests.yaml]
  images:
    stefanprodan/podinfo:3.1.0: { app: podinfo }
    stefanprodan/podinfo:3.1.1: { app: podinfo, faults: [{ status: 500, ratio: 1/2 }] }
  load:
    - { name: users, to: http://podinfo.test:9898/, rate: 20/s }
  steps:
    - wait: { phase: Initialized }
    - run: kubectl -n test set image deployment/podinfo podinfod=stefanprodan/podinfo:3.1.1
  expect:
    - sequence: [Initialized, New revision, weight 10, halt success-rate ×3, rollback, Failed]
    - never: { weight: { above: 20 } }
`)
}
