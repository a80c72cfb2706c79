/** A path template of gorilla/mux: `/delay/{wait:[0-9]+}`. */
export interface CompiledTemplate {
  readonly pattern: RegExp
  readonly names: readonly string[]
}

/** Compiles a template; a variable without expression matches one path segment. */
export function compileTemplate(template: string): CompiledTemplate {
  const names: string[] = []
  const source = template.replace(
    /\{(\w+)(?::([^}]+))?\}|([^{]+)/g,
    (_whole, name?: string, expression?: string, text?: string) => {
      if (name === undefined) return (text ?? '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      names.push(name)
      return `(${expression ?? '[^/]+'})`
    }
  )
  return { pattern: new RegExp(`^${source}$`), names }
}

/** Variables of a path that fits the template; undefined when it does not fit. */
export function matchTemplate(template: CompiledTemplate, path: string): Readonly<Record<string, string>> | undefined {
  const found = template.pattern.exec(path)
  if (found === null) return undefined
  const variables: Record<string, string> = {}
  for (const [index, name] of template.names.entries()) variables[name] = found[index + 1] ?? ''
  return variables
}

/** A path without doubled slashes and dot segments, as Go's router redirects to it. */
export function cleanPath(path: string): string {
  if (path.startsWith('/') && !path.includes('//') && !path.includes('/.')) return path
  const kept: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop()
    else if (segment !== '' && segment !== '.') kept.push(segment)
  }
  return `/${kept.join('/')}${path.endsWith('/') && kept.length > 0 ? '/' : ''}`
}
