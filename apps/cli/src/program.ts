import { gatewayUrl } from '@sekali/process/gateway-url'
import { Command } from 'commander'
import manifest from '../package.json' with { type: 'json' }
import { urlOfGateway, wholeNumber } from './arguments.ts'
import { addAudit } from './commands/audit.ts'
import { addCompletion } from './commands/completion.ts'
import { addDeadLetter } from './commands/dead-letter.ts'
import { addDoctor } from './commands/doctor.ts'
import { addEvent } from './commands/event.ts'
import { addEvents } from './commands/events.ts'
import { addKey } from './commands/key.ts'
import { addOperation } from './commands/operation.ts'
import { addProfile } from './commands/profile.ts'
import { addProjection } from './commands/projection.ts'
import { addPublish } from './commands/publish.ts'
import { addReplay } from './commands/replay.ts'
import { addRestored } from './commands/restored.ts'
import { addStats } from './commands/stats.ts'
import { addSubscription } from './commands/subscription.ts'
import { addTail } from './commands/tail.ts'
import { addTopic } from './commands/topic.ts'
import { addTopics } from './commands/topics.ts'
import { addWebhook } from './commands/webhook.ts'
import type { Surroundings } from './context.ts'
import { exitCodeHelp, UsageError } from './exit.ts'

/** The command line. It throws CommanderError instead of ending the process. */
export function createProgram(surroundings: Surroundings): Command {
  const program = new Command('sekali')
    .description('An exactly-once event log: publish to it, follow it, read it again, look after it.')
    .version(manifest.version, '-V, --version', 'show the version')
    .option(
      '-u, --url <url>',
      `where the gateway is (default: ${gatewayUrl.variable}, the profile in use, ${gatewayUrl.byDefault})`,
      urlOfGateway,
    )
    .option('-p, --profile <name>', 'the gateway of this profile (default: SEKALI_PROFILE)')
    .option('--token-file <file>', 'the key, or a token for a proxy that wants one (default: SEKALI_TOKEN)')
    .option('-j, --json', 'answers for programs: JSON, one value a line')
    .option('-r, --retry-seconds <n>', 'how long to try for an answer', wholeNumber(1, 86_400), 10)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: () => undefined }) // main.ts says it, as it says every failure
    .exitOverride()
    .addHelpText(
      'after',
      `
Begin with:
  $ sekali publish orders.eu.paid '{"total": 12.50}' --id order-1
  $ sekali tail 'orders.>'                    quote patterns: the shell has plans for * and >
  $ sekali replay orders.eu.paid | jq .payload.total
  $ sekali stats --watch
  $ sekali doctor

Where it is not installed, \`sekali\` is \`npx @sekali/cli\` in a clone of Sekali's repository. The registry has no package
of Sekali yet: outside of a clone, install the tarball that \`npm run build\` and \`npm pack ./apps/cli/dist\` make.

A topic is dotted (orders.eu.paid). Where a pattern will do, * is one segment and > all that follow.

${exitCodeHelp}
`,
    )
  for (const add of [
    addPublish,
    addTail,
    addReplay,
    addEvents,
    addEvent,
    addTopics,
    addTopic,
    addStats,
    addProjection,
    addSubscription,
    addWebhook,
    addDoctor,
    addRestored,
    addDeadLetter,
    addOperation,
    addKey,
    addAudit,
    addProfile,
    addCompletion,
  ]) {
    add(program, surroundings)
  }
  for (const [name, description, example] of systemCommands) {
    nameSystemCommand(program, name, description, example)
  }
  return program
}

/** What brings the whole system. The command's entry starts it as a program of its own, with options of its own. */
const systemCommands = [
  [
    'start',
    'run the whole system on this machine: Redis, PostgreSQL, gateway, consumers, projector, dispatcher',
    'start --port 9090 --projections ./projections',
  ],
  [
    'demo',
    'publish events with duplicates to a system of its own, and show that the figures balance',
    'demo --events 5000 --seed 42',
  ],
  ['backup', 'write a backup of the system of `start` while it runs', 'backup sekali.backup --data .sekali'],
  ['restore', 'restore a backup into a folder without data', 'restore sekali.backup --data ./restored'],
] as const

/** For the help and for completion. It is called only when something stands before the command's name. */
function nameSystemCommand(program: Command, name: string, description: string, example: string): void {
  program
    .command(name)
    .description(`${description}; \`sekali ${name} --help\` has its options`)
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText('after', `\nExample:\n  $ sekali ${example}`)
    .action(() => {
      throw new UsageError(`write ${name} first, and its options behind it: npx @sekali/cli ${name} --help`)
    })
}
