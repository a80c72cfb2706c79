import { Command, CommanderError, Option } from 'commander'
import { reportFailure } from './failure.ts'
import { portNumber, positiveNumber, wholeNumber } from './arguments.ts'
import { ownVersion } from './versions.ts'

/** Exit code of wrong usage. */
const EXIT_USAGE = 2

/** Commands of the design that are not built yet, with what they will do. */
const LATER: Readonly<Record<string, string>> = {
  tune: 'search analysis settings for the fewest wrong verdicts',
  drill: 'break things on purpose and report what the rollout did',
  bench: 'measure the twin; for now: npm run bench'
}

/**
 * Runs the command line.
 * @param argv - words after the program's name
 * @returns the exit code; see `ERROR_CODES` for their meaning
 */
export async function runProgram(argv: readonly string[]): Promise<number> {
  let exitCode = 0
  const program = createProgram((code) => {
    exitCode = code
  })
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return exitCode
  } catch (error) {
    // Commander has printed its own message already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE
    return reportFailure(error, (text) => void process.stderr.write(text))
  }
}

/** Commands are loaded when they are called: `--help` and the start of a world wait for nothing else. */
function createProgram(exit: (code: number) => void): Command {
  const program = new Command('twin')
    .description('A digital twin of the automated canary rollout: rehearse a canary release before your users do.')
    .version(ownVersion())
    .exitOverride()
    .enablePositionalOptions()
    .showSuggestionAfterError(true)
    .showHelpAfterError('(see twin --help)')
  addRun(program, exit)
  addUp(program, exit)
  addFileCommands(program, exit)
  addSmallCommands(program, exit)
  for (const [name, description] of Object.entries(LATER)) {
    program
      .command(name)
      .description(`${description} (not available yet)`)
      .allowUnknownOption()
      .allowExcessArguments()
      .action(() => {
        process.stderr.write(`twin ${name}: not available yet\n`)
        exit(EXIT_USAGE)
      })
  }
  return program
}

function addRun(program: Command, exit: (code: number) => void): void {
  program
    .command('run')
    .description('run scenarios and say pass or fail (default: all below scenarios/)')
    .argument('[files...]', 'scenario files or folders')
    .option('-g, --grep <pattern>', 'only cases whose "family name" fits this regular expression')
    .option('--shard <i/n>', 'only one part of the cases')
    .option('--repeat-each <n>', 'run each case so often; runs of one seed must be equal', wholeNumber(1))
    .option('--last-failed', 'only the cases that did not pass last time')
    .option('-x, --bail', 'end after the first case that does not pass')
    .option('-u, --update', 'write what happened into the sequences that did not hold')
    .option('--seed <n>', 'seed of every draw; takes precedence over the files', wholeNumber(0))
    .option('--speed <n>', 'at most so many simulated seconds per wall second', positiveNumber)
    .addOption(new Option('--world <name>', 'where to run').default('embedded'))
    .option('--workers <n>', 'threads at most; 0: none', wholeNumber(0))
    .option('--output <folder>', 'where traces go', '.twin')
    .option('--verbose', 'also queries, writes, hooks, pods and logs')
    .option('--reporter <name[=file]>', 'line, json, junit, github or html; may be given more than once', collect, [])
    .action(async (files: string[], options: Record<string, unknown>) => {
      const { runCommand } = await import('./run-command.ts')
      exit(await runCommand(files, options))
    })
}

function addUp(program: Command, exit: (code: number) => void): void {
  program
    .command('up')
    .description('start a world to play in; prints its kubeconfig and URLs, ends with Ctrl-C')
    .option('--scenario <file>', "with this scenario's manifests, images and load")
    .option('--speed <n>', 'simulated seconds per wall second', positiveNumber, 1)
    .option('--seed <n>', 'seed of every draw', wholeNumber(0), 1)
    .option('--port <n>', 'port of the Kubernetes API; default: any free one', portNumber)
    .option('--prometheus-port <n>', 'port of Prometheus; default: any free one', portNumber)
    .option('--provider <name>', 'mesh provider of the controller', 'linkerd')
    .option('--verbose', 'also queries, writes, hooks, pods and logs')
    .action(async (options: Record<string, unknown>) => {
      const { upCommand } = await import('./up-command.ts')
      exit(await upCommand(options))
    })
}

function addFileCommands(program: Command, exit: (code: number) => void): void {
  program
    .command('lint')
    .description('check scenario files without running them')
    .argument('[files...]', 'scenario files or folders')
    .action(async (files: string[]) => {
      const { lintCommand } = await import('./lint-command.ts')
      exit(await lintCommand(files))
    })
  program
    .command('list')
    .description('list the cases')
    .argument('[files...]', 'scenario files or folders')
    .option('-g, --grep <pattern>', 'only cases whose "family name" fits this regular expression')
    .option('--shard <i/n>', 'only one part of the cases')
    .action(async (files: string[], options: Record<string, unknown>) => {
      const { listCommand } = await import('./list-command.ts')
      exit(listCommand(files, options))
    })
  program
    .command('show')
    .description('print a recorded trace as lines')
    .argument('<trace>', 'trace.ndjson, or the folder it is in')
    .option('--verbose', 'also queries, writes, hooks, pods and logs')
    .option('--json', 'print the events as they are')
    .action(async (trace: string, options: Record<string, unknown>) => {
      const { showCommand } = await import('./show-command.ts')
      exit(showCommand(trace, options))
    })
  program
    .command('explain')
    .description('say what the canaries of a scenario will do at best, or what an error code means')
    .argument('<file|code>', 'a scenario file, or a code such as TWIN_PORT_IN_USE')
    .action(async (subject: string) => {
      const { explainCommand } = await import('./explain-command.ts')
      exit(explainCommand(subject))
    })
}

function addSmallCommands(program: Command, exit: (code: number) => void): void {
  program
    .command('schema')
    .description('print the JSON Schema of scenario files')
    .option('--write <file>', 'write it there instead')
    .action(async (options: Record<string, unknown>) => {
      const { schemaCommand } = await import('./schema-command.ts')
      exit(schemaCommand(options))
    })
  program
    .command('doctor')
    .description('check what the twin needs on this machine')
    .action(async () => {
      const { doctorCommand } = await import('./doctor-command.ts')
      exit(await doctorCommand())
    })
  program
    .command('linkerd')
    .description('statistics and dashboard of the mesh of `twin up`, as `linkerd stat` and `linkerd dashboard`')
    .argument('[words...]', "linkerd's own words and flags")
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (words: string[]) => {
      const { linkerdCommand } = await import('./linkerd-command.ts')
      exit(await linkerdCommand(words))
    })
  program
    .command('app')
    .description('serve one of the app models as a process of its own')
    .requiredOption('--spec <json>', 'behaviour as in spec.images, e.g. \'{"app":"podinfo","version":"6.0.0"}\'')
    .option('--port <n>', "port to listen on; default: the app's own", portNumber)
    .argument('[words...]', "the app's own arguments, behind --")
    .action(async (words: string[], options: Record<string, unknown>) => {
      const { appCommand } = await import('./app-command.ts')
      exit(await appCommand(words, options))
    })
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value]
}
