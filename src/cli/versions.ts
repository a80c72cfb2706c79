import { readFileSync } from 'node:fs'

/** Versions that a trace names. */
export function versions(): Readonly<Record<string, string>> {
  return { twin: ownVersion(), node: process.versions.node }
}

/** Version of this package. */
export function ownVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(text) as { version?: string }
  return version ?? '0.0.0'
}
