import type { ScrapeConfig } from './config.ts'
import type { RelabelRule } from './relabel.ts'

const POD_LABEL = '__meta_kubernetes_pod_label_'
const PORT_NAME = '__meta_kubernetes_pod_container_port_name'
const CONTAINER_NAME = '__meta_kubernetes_pod_container_name'

const PROXY_RULES: readonly RelabelRule[] = [
  {
    sourceLabels: [CONTAINER_NAME, PORT_NAME, `${POD_LABEL}linkerd_io_control_plane_ns`],
    regex: '^linkerd-proxy;linkerd-admin;linkerd$',
    action: 'keep'
  },
  { sourceLabels: ['__meta_kubernetes_namespace'], targetLabel: 'namespace' },
  { sourceLabels: ['__meta_kubernetes_pod_name'], targetLabel: 'pod' },
  { sourceLabels: [`${POD_LABEL}linkerd_io_proxy_job`], targetLabel: 'k8s_job' },
  { regex: `${POD_LABEL}linkerd_io_proxy_job`, action: 'labeldrop' },
  { regex: `${POD_LABEL}linkerd_io_proxy_(.+)`, action: 'labelmap' },
  { regex: `${POD_LABEL}linkerd_io_proxy_(.+)`, action: 'labeldrop' },
  { regex: `${POD_LABEL}linkerd_io_(.+)`, action: 'labelmap' },
  { regex: `${POD_LABEL}(.+)`, replacement: '__tmp_pod_label_$1', action: 'labelmap' },
  { regex: '__tmp_pod_label_linkerd_io_(.+)', replacement: '__tmp_pod_label_$1', action: 'labelmap' },
  { regex: '__tmp_pod_label_linkerd_io_(.+)', action: 'labeldrop' },
  { regex: '__tmp_pod_label_(.+)', action: 'labelmap' }
]

const RUNNING: RelabelRule = {
  sourceLabels: ['__meta_kubernetes_pod_phase'],
  regex: '(Pending|Running)',
  action: 'keep'
}

const COMPONENT: RelabelRule = { sourceLabels: [CONTAINER_NAME], targetLabel: 'component' }
const NOT_PROXY: RelabelRule = { sourceLabels: [PORT_NAME], regex: 'linkerd-admin', action: 'drop' }

/** The proxies of all meshed pods. @see linkerd2 viz/charts/linkerd-viz/templates/prometheus.yaml, edge-26.8.3 */
export const LINKERD_PROXY_JOB: ScrapeConfig = {
  jobName: 'linkerd-proxy',
  podDiscovery: {},
  relabelRules: [RUNNING, ...PROXY_RULES]
}

/** Linkerd's own components. @see the same chart */
const LINKERD_CONTROLLER_JOB: ScrapeConfig = {
  jobName: 'linkerd-controller',
  podDiscovery: { namespaces: ['linkerd', 'linkerd-viz'] },
  relabelRules: [{ sourceLabels: [PORT_NAME], regex: '.*admin$', action: 'keep' }, NOT_PROXY, COMPONENT]
}

/** Service mirrors of other clusters. @see the same chart */
const LINKERD_MULTICLUSTER_JOB: ScrapeConfig = {
  jobName: 'linkerd-multicluster-controller',
  podDiscovery: {},
  relabelRules: [
    {
      sourceLabels: [`${POD_LABEL}component`, PORT_NAME],
      regex: '(linkerd-service-mirror|controller);.*-admin$',
      action: 'keep'
    },
    NOT_PROXY,
    COMPONENT
  ]
}

/** Prometheus itself. @see the same chart */
const PROMETHEUS_JOB: ScrapeConfig = {
  jobName: 'prometheus',
  staticConfigs: [{ targets: ['localhost:9090'] }]
}

/** The jobs of Linkerd viz that find targets in a simulated cluster (cAdvisor's is left out: there are no nodes to ask). */
export const VIZ_JOBS: readonly ScrapeConfig[] = [
  PROMETHEUS_JOB,
  LINKERD_CONTROLLER_JOB,
  LINKERD_MULTICLUSTER_JOB,
  LINKERD_PROXY_JOB
]

const ANNOTATION = '__meta_kubernetes_pod_annotation_prometheus_io_'

/**
 * App metrics by the `prometheus.io/scrape` annotation, as Flagger's own Prometheus scrapes them.
 * @see flagger charts/flagger/templates/prometheus.yaml, 1.44.0
 */
export const APP_METRICS_JOB: ScrapeConfig = {
  jobName: 'kubernetes-pods',
  podDiscovery: {},
  relabelRules: [
    { sourceLabels: [`${ANNOTATION}scrape`], regex: 'true', action: 'keep' },
    { sourceLabels: [`${ANNOTATION}path`], regex: '(.+)', targetLabel: '__metrics_path__' },
    {
      sourceLabels: ['__address__', `${ANNOTATION}port`],
      regex: '([^:]+)(?::\\d+)?;(\\d+)',
      replacement: '$1:$2',
      targetLabel: '__address__'
    },
    { regex: `${POD_LABEL}(.+)`, action: 'labelmap' },
    { sourceLabels: ['__meta_kubernetes_namespace'], targetLabel: 'kubernetes_namespace' },
    { sourceLabels: ['__meta_kubernetes_pod_name'], targetLabel: 'kubernetes_pod_name' }
  ]
}
