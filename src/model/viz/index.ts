export { answerPlan, LinkerdError, together, type VizAnswer, type VizAsk, type VizPlan, type VizSample } from './ask.ts'
export { type LinkerdOutput, linkerdPlan } from './command.ts'
export { type ClusterFlags, type DashboardFlags, type LinkerdWords, parseLinkerd } from './words.ts'
export { type View, type ViewCell, viewOf, type ViewTable } from './views.ts'
