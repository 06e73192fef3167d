import { randomBytes } from 'node:crypto'
import { gatewayUrl } from '@sekali/process/gateway-url'
import { endUsage } from '@sekali/process/usage'
import { Command, InvalidArgumentError, Option } from 'commander'
import { complaintAbout, type Load, seed, share, topicNames } from './arguments.ts'
import { reportTopics } from './load/payloads.ts'

export interface Options extends Load {
  readonly url: string
  readonly seed: string
  /** Nobody can have published the ids of this seed before. */
  readonly seedIsFresh: boolean
  readonly topics: readonly string[]
  readonly concurrency: number
  readonly readySeconds: number
  readonly retrySeconds: number
  readonly drainSeconds: number
  readonly json: boolean
}

/** As they come from the command line. */
type Given = Omit<Options, 'topics' | 'seed' | 'seedIsFresh' | 'json'> & {
  readonly topics?: readonly string[]
  readonly seed?: string
  readonly json?: true
}

/** Prints what is wrong, or the help, and ends the process when the arguments do not make sense. */
export function parseOptions(argv: readonly string[]): Options {
  const command = new Command('publisher')
    .description(
      'Publishes a seeded workload with an exact number of duplicates and proves that it balances.',
    )
    .exitOverride(endUsage)
    .addOption(
      new Option('--url <url>', 'the gateway')
        .env(gatewayUrl.variable)
        .default(gatewayUrl.byDefault)
        .argParser(urlOfGateway),
    )
    .option('--events <n>', 'events to send, duplicates included', wholeNumber(1, 100_000_000), 20_000)
    .option(
      '--duplicates <share>',
      'share of the events that repeat another one, such as 0.3 or 30%',
      share,
      0.3,
    )
    .option('--seed <text>', 'the same seed publishes the same events (default: a new one)', seed)
    .option('--concurrency <n>', 'requests at a time', wholeNumber(1, 1_000), 50)
    .option('--topics <names...>', `topics to publish to (default: ${reportTopics.join(', ')})`, topicNames)
    .option('--ready-seconds <n>', 'how long to wait until the gateway is ready', wholeNumber(1, 3_600), 60)
    .option('--retry-seconds <n>', 'how long to try an event again', wholeNumber(1, 86_400), 120)
    .option('--drain-seconds <n>', 'how long to wait until all is accounted for', wholeNumber(1, 86_400), 120)
    .option('--json', 'the last line of stdout is one JSON object; all else goes to stderr')
    .parse(argv, { from: 'user' })

  const given = command.opts<Given>()
  const complaint = complaintAbout(given)
  if (complaint !== undefined) command.error(complaint)
  return {
    ...given,
    topics: given.topics ?? reportTopics,
    json: given.json === true,
    // 80 random bits: two runs in the world do not meet.
    seed: given.seed ?? randomBytes(10).toString('hex'),
    seedIsFresh: given.seed === undefined,
  }
}

function wholeNumber(min: number, max: number) {
  return (text: string): number => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= min && value <= max) return value
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`)
  }
}

function urlOfGateway(text: string): string {
  if (gatewayUrl.isValid(text)) return text
  throw new InvalidArgumentError(gatewayUrl.expected)
}
