export { parseDuration, type ParsedDuration } from './duration.ts'
export { parseFloat64, type ParsedFloat } from './number.ts'
export { quote } from './quote.ts'
export { renderTemplate, type Rendered } from './template/template.ts'
export {
  joinPaths,
  parseRequestUri,
  parseUrl,
  resolveReference,
  urlText,
  withPassword,
  type GoUrl,
  type ParsedUrl
} from './url.ts'
export { queryEscape } from './url-escape.ts'
export { goJsonError, goTypeOf } from './json-syntax.ts'
export { ANY, FLOAT, INT, listOf, STRING, struct, unmarshal, type JsonType, type Unmarshalled } from './json.ts'
