import { randomBytes } from 'node:crypto'
import { gatewayUrl } from '@sekali/process/gateway-url'
import { Command, InvalidArgumentError, Option } from 'commander'
import { reportTopics } from './load/payloads.ts'

export interface Options {
  readonly url: string
  readonly events: number
  /** The share of the events that repeat another one. */
  readonly duplicates: number
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

/** Prints what is wrong, or the help, and ends the process when the arguments do not make sense. */
export function parseOptions(argv: readonly string[]): Options {
  const command = new Command('publisher')
    .description(
      'Publishes a seeded workload with an exact number of duplicates and proves that it balances.',
    )
    .addOption(
      new Option('--url <url>', 'the gateway')
        .env(gatewayUrl.variable)
        .default(gatewayUrl.byDefault)
        .argParser(urlOfGateway),
    )
    .option('--events <n>', 'events to send, duplicates included', wholeNumber(1, 100_000_000), 20_000)
    .option('--duplicates <share>', 'share of the events that repeat another one', share, 0.3)
    .option('--seed <text>', 'the same seed publishes the same events (default: a new one)', seed)
    .option('--concurrency <n>', 'requests at a time', wholeNumber(1, 1_000), 50)
    .option('--topics <names...>', 'topics to publish to', reportTopics)
    .option('--ready-seconds <n>', 'how long to wait until the gateway is ready', wholeNumber(1, 3_600), 60)
    .option('--retry-seconds <n>', 'how long to try an event again', wholeNumber(1, 86_400), 120)
    .option('--drain-seconds <n>', 'how long to wait until all is accounted for', wholeNumber(1, 86_400), 120)
    .option('--json', 'the last line of stdout is one JSON object; all else goes to stderr', false)
    .parse(argv, { from: 'user' })

  const given = command.opts<Omit<Options, 'seed' | 'seedIsFresh'> & { seed?: string }>()
  if (given.events === repeatsOf(given)) {
    command.error('error: with this share of duplicates no event is left for them to repeat')
  }
  const topics = [...new Set(given.topics.flatMap((names) => names.split(',')))].filter(Boolean)
  return {
    ...given,
    topics,
    // 80 random bits: two runs in the world do not meet.
    seed: given.seed ?? randomBytes(10).toString('hex'),
    seedIsFresh: given.seed === undefined,
  }
}

export function repeatsOf({ events, duplicates }: Pick<Options, 'events' | 'duplicates'>): number {
  return Math.round(events * duplicates)
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

function share(text: string): number {
  const value = Number(text)
  if (/^(\d+(\.\d+)?|\.\d+)$/.test(text) && value < 1) return value
  throw new InvalidArgumentError('It must be a number from 0 to less than 1, such as 0.3.')
}

function seed(text: string): string {
  if (/^[\w.-]{1,64}$/.test(text)) return text
  throw new InvalidArgumentError('It must be 1 to 64 of A-Z a-z 0-9 _ . -')
}
