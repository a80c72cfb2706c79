import { spawn } from 'node:child_process'

/**
 * Opens a URL in the person's browser.
 * @returns whether a program for that was started; without a display none is
 */
export function openBrowser(
  url: string,
  platform: NodeJS.Platform,
  env: Readonly<Record<string, string | undefined>>
): Promise<boolean> {
  const program = openerOf(platform, env)
  if (program === undefined) return Promise.resolve(false)
  const [name, ...words] = program
  return new Promise((resolve) => {
    const child = spawn(name, [...words, url], { stdio: 'ignore', detached: true })
    child.once('error', () => resolve(false))
    child.once('spawn', () => {
      child.unref()
      resolve(true)
    })
  })
}

function openerOf(
  platform: NodeJS.Platform,
  env: Readonly<Record<string, string | undefined>>
): readonly [string, ...string[]] | undefined {
  if (platform === 'darwin') return ['open']
  if (platform === 'win32') return ['explorer.exe']
  return env['DISPLAY'] === undefined && env['WAYLAND_DISPLAY'] === undefined ? undefined : ['xdg-open']
}
