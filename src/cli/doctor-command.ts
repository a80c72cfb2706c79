import { execFile } from 'node:child_process'
import { createServer } from 'node:net'
import { availableParallelism, totalmem } from 'node:os'
import { promisify } from 'node:util'

interface Finding {
  readonly name: string
  readonly state: 'ok' | 'missing' | 'bad'
  readonly text: string
}

/** Oldest Node that runs the package. */
const NODE_MIN: readonly [number, number] = [22, 22]
/** A world of one canary stays below this. */
const MEMORY_BYTES_MIN = 512 * 1024 * 1024

/** `twin doctor`: what the twin needs on this machine and what is only nice to have; exit code 3 when it cannot run. */
export async function doctorCommand(): Promise<number> {
  const findings = [
    nodeFinding(),
    memoryFinding(),
    await loopbackFinding(),
    await programFinding('kubectl', ['version', '--client'], 'only to type at `twin up` by hand'),
    await programFinding('docker', ['--version'], 'only for the kind world, which is not available yet')
  ]
  for (const { name, state, text } of findings) process.stdout.write(`${state.padEnd(8)} ${name.padEnd(10)} ${text}\n`)
  return findings.some((finding) => finding.state === 'bad') ? 3 : 0
}

function nodeFinding(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const enough = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])
  const text = `${process.versions.node}, ${availableParallelism()} cores`
  return enough
    ? { name: 'node', state: 'ok', text }
    : { name: 'node', state: 'bad', text: `${text}; needs ${NODE_MIN.join('.')} or newer` }
}

function memoryFinding(): Finding {
  const bytes = totalmem()
  return {
    name: 'memory',
    state: bytes >= MEMORY_BYTES_MIN ? 'ok' : 'bad',
    text: `${Math.round(bytes / 1_048_576)} MiB`
  }
}

async function loopbackFinding(): Promise<Finding> {
  const server = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', resolve)
    })
    return { name: 'loopback', state: 'ok', text: 'ports on 127.0.0.1 can be opened' }
  } catch (error) {
    return { name: 'loopback', state: 'bad', text: error instanceof Error ? error.message : String(error) }
  } finally {
    server.close()
  }
}

async function programFinding(name: string, words: readonly string[], use: string): Promise<Finding> {
  try {
    const { stdout } = await promisify(execFile)(name, [...words], { timeout: 5000 })
    return { name, state: 'ok', text: stdout.split('\n')[0] ?? '' }
  } catch {
    // Not there or not working is the same to the user: these programs are optional.
    return { name, state: 'missing', text: use }
  }
}
