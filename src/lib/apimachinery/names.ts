/**
 * Rules for names, labels and annotations with the messages of apimachinery 1.36 (`util/validation`).
 * Each function returns the problems; none means valid.
 */
const LABEL_1123 = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const SUBDOMAIN_1123 = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*'
const LABEL_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?'
const QUALIFIED_NAME = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const LABEL_VALUE = '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?'

function compiled(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`)
}

const LABEL_1123_REGEXP = compiled(LABEL_1123)
const SUBDOMAIN_1123_REGEXP = compiled(SUBDOMAIN_1123)
const LABEL_1035_REGEXP = compiled(LABEL_1035)
const QUALIFIED_NAME_REGEXP = compiled(QUALIFIED_NAME)
const LABEL_VALUE_REGEXP = compiled(LABEL_VALUE)

/** Nothing is wrong with a name. */
const NO_PROBLEMS: readonly string[] = Object.freeze([])

function regexMessage(rule: string, pattern: string, ...examples: readonly string[]): string {
  const list = examples.map((example) => `'${example}', `).join(' or ')
  return `${rule} (e.g. ${list}regex used for validation is '${pattern}')`
}

function tooLong(maxLength: number): string {
  return `must be no more than ${maxLength} bytes`
}

const LABEL_1123_RULE =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character"
const SUBDOMAIN_1123_RULE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
const LABEL_1035_RULE =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character"
const QUALIFIED_NAME_RULE =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"

/**
 * DNS label (RFC 1123): names of namespaces, containers, ….
 * @param text - the name
 */
export function dns1123LabelProblems(text: string): readonly string[] {
  if (text.length <= 63 && LABEL_1123_REGEXP.test(text)) return NO_PROBLEMS
  const problems = text.length > 63 ? [tooLong(63)] : []
  if (!LABEL_1123_REGEXP.test(text)) {
    problems.push(
      SUBDOMAIN_1123_REGEXP.test(text)
        ? 'must not contain dots'
        : regexMessage(LABEL_1123_RULE, LABEL_1123, 'my-name', '123-abc')
    )
  }
  return problems
}

/**
 * DNS subdomain (RFC 1123): names of most objects.
 * @param text - the name
 */
export function dns1123SubdomainProblems(text: string): readonly string[] {
  if (text.length <= 253 && SUBDOMAIN_1123_REGEXP.test(text)) return NO_PROBLEMS
  const problems = text.length > 253 ? ['must be no more than 253 characters'] : []
  if (!SUBDOMAIN_1123_REGEXP.test(text)) problems.push(regexMessage(SUBDOMAIN_1123_RULE, SUBDOMAIN_1123, 'example.com'))
  return problems
}

/**
 * DNS label (RFC 1035): names of Services and CRD names.
 * @param text - the name
 */
export function dns1035LabelProblems(text: string): readonly string[] {
  if (text.length <= 63 && LABEL_1035_REGEXP.test(text)) return NO_PROBLEMS
  const problems = text.length > 63 ? [tooLong(63)] : []
  if (!LABEL_1035_REGEXP.test(text)) problems.push(regexMessage(LABEL_1035_RULE, LABEL_1035, 'my-name', 'abc-123'))
  return problems
}

const WILDCARD = `\\*\\.${SUBDOMAIN_1123}`
const WILDCARD_REGEXP = new RegExp(`^${WILDCARD}$`)

/**
 * `*.` before a DNS subdomain.
 * @param text - the name
 */
export function wildcardDomainProblems(text: string): string[] {
  const problems = text.length > 253 ? [tooLong(253)] : []
  if (WILDCARD_REGEXP.test(text)) return problems
  const rule =
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
  return [...problems, regexMessage(rule, WILDCARD, '*.example.com')]
}

/**
 * `[prefix/]name` as annotation keys, finalizers and condition types have it (IsQualifiedName).
 * @param text - the name
 */
export function qualifiedNameProblems(text: string): readonly string[] {
  const parts = text.split('/')
  const problems: string[] = []
  if (parts.length > 2) {
    return [
      `a valid label key ${regexMessage(QUALIFIED_NAME_RULE, QUALIFIED_NAME, 'MyName', 'my.name', '123-abc')} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`
    ]
  }
  const [name = '', prefix] = parts.length === 2 ? [parts[1], parts[0]] : [parts[0]]
  if (prefix === '') problems.push('prefix part must be non-empty')
  else if (prefix !== undefined)
    problems.push(...dns1123SubdomainProblems(prefix).map((problem) => `prefix part ${problem}`))
  if (name === '') problems.push('name part must be non-empty')
  else if (name.length > 63) problems.push(`name part ${tooLong(63)}`)
  if (!QUALIFIED_NAME_REGEXP.test(name)) {
    problems.push(`name part ${regexMessage(QUALIFIED_NAME_RULE, QUALIFIED_NAME, 'MyName', 'my.name', '123-abc')}`)
  }
  return problems
}

/**
 * Key of a label or annotation (`content.IsLabelKey`), which is what qualified names are since 1.36.
 * @param text - the key
 */
export function labelKeyProblems(text: string): readonly string[] {
  if (GOOD_KEYS.has(text)) return NO_PROBLEMS
  const problems = qualifiedNameProblems(text)
  if (problems.length > 0) return problems
  if (GOOD_KEYS.size >= MAX_GOOD_KEYS) GOOD_KEYS.clear()
  GOOD_KEYS.add(text)
  return NO_PROBLEMS
}

/** Keys that were found in order: there are few, and they come again with every object. */
const GOOD_KEYS = new Set<string>()
const MAX_GOOD_KEYS = 1024

/**
 * Value of a label.
 * @param text - the value
 */
export function labelValueProblems(text: string): readonly string[] {
  if (text.length <= 63 && LABEL_VALUE_REGEXP.test(text)) return NO_PROBLEMS
  const problems = text.length > 63 ? [tooLong(63)] : []
  if (!LABEL_VALUE_REGEXP.test(text)) {
    const rule =
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
    problems.push(regexMessage(rule, LABEL_VALUE, 'MyValue', 'my_value', '12345'))
  }
  return problems
}

/**
 * Key of a ConfigMap or Secret.
 * @param text - the key
 */
export function configKeyProblems(text: string): readonly string[] {
  if (text.length <= 253 && /^[-_a-zA-Z0-9][-._a-zA-Z0-9]*$/.test(text)) return NO_PROBLEMS
  const problems = text.length > 253 ? [tooLong(253)] : []
  if (!/^[-._a-zA-Z0-9]+$/.test(text)) {
    const rule = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
    problems.push(regexMessage(rule, '[-._a-zA-Z0-9]+', 'key.name', 'KEY_NAME', 'key-name'))
  }
  if (text === '.') problems.push("must not be '.'")
  if (text === '..') problems.push("must not be '..'")
  else if (text.startsWith('..')) problems.push("must not start with '..'")
  return problems
}

/**
 * Name of an environment variable (relaxed rule of 1.34 and later: printable ASCII without `=`).
 * @param text - the name
 */
export function envVarNameProblems(text: string): readonly string[] {
  if (text === '') return ['environment variable name must not be empty']
  if (/^[ -<>-~]+$/.test(text)) return NO_PROBLEMS
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
}

/** Names of ports without hyphens, which nearly all are. */
const PLAIN_PORT_NAME = /^\d*[a-z][a-z0-9]*$/

/**
 * Name of a port of a Service or container (IANA service name).
 * @param text - the name
 */
export function portNameProblems(text: string): readonly string[] {
  if (text.length <= 15 && PLAIN_PORT_NAME.test(text)) return NO_PROBLEMS
  const problems: string[] = []
  if (text.length > 15) problems.push('must be no more than 15 characters')
  if (!/^[-a-z0-9]+$/.test(text)) {
    problems.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  }
  if (!/[a-z]/.test(text)) problems.push('must contain at least one letter (a-z)')
  if (text.includes('--')) problems.push('must not contain consecutive hyphens')
  if (text.startsWith('-') || text.endsWith('-')) problems.push('must not begin or end with a hyphen')
  return problems
}

/**
 * Number of a port.
 * @param port - 1 to 65535 is valid
 */
export function portNumberProblems(port: number): readonly string[] {
  return Number.isInteger(port) && port >= 1 && port <= 65_535
    ? NO_PROBLEMS
    : ['must be between 1 and 65535, inclusive']
}
