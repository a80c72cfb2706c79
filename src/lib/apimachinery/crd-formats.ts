/** Formats of strings that apiextensions checks (kube-openapi `strfmt`), each with its test. Names compare without `-`. */
const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  datetime: isDateTime,
  date: (text) => /^\d{4}-\d{2}-\d{2}$/.test(text) && isCalendarDay(text),
  duration: (text) => /^-?((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h|d|w))+$/.test(text) || text === '0',
  email: (text) => /^[^\s@<>]+@[^\s@<>]+$/.test(text),
  uri: (text) => /^([a-z][a-z0-9+.-]*:|\/)/i.test(text) && !/\s/.test(text),
  hostname: (text) =>
    text.length <= 255 &&
    /^([a-zA-Z0-9\u00a1-\uffff]([-a-zA-Z0-9\u00a1-\uffff]*[a-zA-Z0-9\u00a1-\uffff])?\.?)+$/.test(text),
  ipv4: isIpv4,
  ipv6: isIpv6,
  cidr: isCidr,
  mac: (text) => /^([0-9a-f]{2}[:-]){5}([0-9a-f]{2}[:-]){0,2}[0-9a-f]{2}$/i.test(text),
  uuid: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text),
  uuid3: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text),
  uuid4: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i.test(text),
  uuid5: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i.test(text),
  byte: (text) => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text),
  bsonobjectid: (text) => /^[0-9a-f]{24}$/i.test(text),
  hexcolor: (text) => /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.test(text),
  rgbcolor: (text) => /^rgb\(\s*\d{1,3}\s*,\s*\d{1,3}\s*,\s*\d{1,3}\s*\)$/.test(text),
  isbn: (text) => /^([0-9-]{9,16}[0-9X])$/.test(text),
  isbn10: (text) => /^[0-9]{9}[0-9X]$/.test(text.replaceAll('-', '')),
  isbn13: (text) => /^[0-9]{13}$/.test(text.replaceAll('-', '')),
  creditcard: (text) => /^[0-9]{13,19}$/.test(text.replaceAll(/[ -]/g, '')),
  ssn: (text) => /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text),
  password: () => true,
  k8sshortname: (text) => /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text) && text.length <= 63,
  k8slongname: (text) =>
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text) && text.length <= 253
}

/** Formats of numbers: known, checked elsewhere or not at all. */
const NUMBER_FORMATS: ReadonlySet<string> = new Set(['int32', 'int64', 'float', 'double'])

function normalized(format: string): string {
  return format.replaceAll('-', '')
}

/**
 * Whether a format is one the API server knows; it warns of others (`unrecognized format "url"`).
 * @param format - value of `format`
 */
export function isKnownFormat(format: string): boolean {
  return NUMBER_FORMATS.has(format) || Object.hasOwn(FORMATS, normalized(format))
}

/**
 * Whether a text has a format; texts of unknown formats always do.
 * @param format - value of `format`
 * @param text - the value
 */
export function hasFormat(format: string, text: string): boolean {
  return formatTest(format)?.(text) ?? true
}

/**
 * The test of a format; undefined where every text has it.
 * @param format - value of `format`
 */
export function formatTest(format: string): ((text: string) => boolean) | undefined {
  const name = normalized(format)
  return Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined
}

function isCalendarDay(text: string): boolean {
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split('-').map(Number)
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
  return month >= 1 && month <= 12 && day >= 1 && day <= (days[month - 1] ?? 0)
}

/** Days that every month has. */
const DAYS_MIN = 28
const PLAIN_TIME = '0000-00-00T00:00:00Z'

/** Whether a text is a time as the server itself writes it, on one of the days that every month has: `2006-01-02T15:04:05Z`. */
function isPlainTime(text: string): boolean {
  if (text.length !== PLAIN_TIME.length) return false
  for (let index = 0; index < PLAIN_TIME.length; index++) {
    const code = text.charCodeAt(index)
    const wanted = PLAIN_TIME.charCodeAt(index)
    if (wanted === DIGIT_0 ? code < DIGIT_0 || code > DIGIT_0 + 9 : code !== wanted) return false
  }
  const [month, day] = [twoDigits(text, 5), twoDigits(text, 8)]
  if (month < 1 || month > 12 || day < 1 || day > DAYS_MIN) return false
  return twoDigits(text, 11) <= 23 && twoDigits(text, 14) <= 59 && twoDigits(text, 17) <= 59
}

const DIGIT_0 = 48

function twoDigits(text: string, at: number): number {
  return (text.charCodeAt(at) - DIGIT_0) * 10 + text.charCodeAt(at + 1) - DIGIT_0
}

function isDateTime(text: string): boolean {
  if (isPlainTime(text)) return true
  const match = /^\d{4}-\d{2}-\d{2}[Tt ](\d{2}):(\d{2}):(\d{2})(\.\d+)?([Zz]|[+-]\d{2}:?\d{2})$/.exec(text)
  if (match === null) return false
  const [hour = 0, minute = 0, second = 0] = [match[1], match[2], match[3]].map(Number)
  return isCalendarDay(text) && hour <= 23 && minute <= 59 && second <= 59
}

/**
 * Whether a text is an IPv4 address in dotted decimal.
 * @param text - the text
 */
export function isIpv4(text: string): boolean {
  return IPV4.test(text)
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/

/**
 * Whether a text is an IPv6 address.
 * @param text - the text
 */
export function isIpv6(text: string): boolean {
  if (!text.includes(':') || /[^0-9a-fA-F:.]/.test(text)) return false
  const halves = text.split('::')
  if (halves.length > 2) return false
  let groups = 0
  for (const half of halves) {
    if (half === '') continue
    for (const part of half.split(':')) {
      if (part.includes('.') ? !isIpv4(part) : !/^[0-9a-fA-F]{1,4}$/.test(part)) return false
      groups += part.includes('.') ? 2 : 1
    }
  }
  return halves.length === 2 ? groups <= 7 : groups === 8
}

function isCidr(text: string): boolean {
  const [address = '', prefix = '', ...rest] = text.split('/')
  if (rest.length > 0 || !/^\d{1,3}$/.test(prefix)) return false
  return (isIpv4(address) && Number(prefix) <= 32) || (isIpv6(address) && Number(prefix) <= 128)
}
