/** What `subscription create --to` takes: where events are sent, and how. */
import { readFileSync } from 'node:fs'
import type { NewPushSubscription, PushBody, PushOnExhausted } from '@sekali/client/operate'
import { webhookLimits as max } from '@sekali/webhook/limits'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { wholeNumber } from '../../arguments.ts'
import { UsageError } from '../../exit.ts'

export interface PushOptions {
  readonly to?: string
  readonly header?: Readonly<Record<string, string>>
  readonly concurrency?: number
  readonly rate?: number
  readonly timeout?: number
  readonly body?: PushBody
  readonly batchMax?: number
  readonly retry?: readonly number[]
  readonly out?: string
}

export const addPushOptions = (command: Command): Command =>
  command
    .option('--to <url>', 'send events there, as webhooks; without it workers pull')
    .option(
      '-H, --header <header>',
      "with --to: send it along, as 'Name: value'; @file reads such lines, and hides them from others; may be said again",
      header,
    )
    .option(
      '--concurrency <n>',
      'with --to: requests at a time (default: 10)',
      wholeNumber(1, max.concurrencyMax),
    )
    .option(
      '--rate <n>',
      'with --to: requests that begin in a second, at most',
      wholeNumber(1, max.ratePerSecondMax),
    )
    .option(
      '--timeout <seconds>',
      'with --to: a request that takes longer has failed (default: 15)',
      wholeNumber(1, max.timeoutSecondsMax),
    )
    .addOption(
      new Option(
        '--body <form>',
        'with --to: as Standard Webhooks has it, or the event as sekali event shows it (default: standard)',
      ).choices(['standard', 'event']),
    )
    .option(
      '--batch-max <n>',
      'with --to: events in a request; with more than 1 its body is an array (default: 1)',
      wholeNumber(1, max.batchMax),
    )
    .option('--retry <seconds>', 'with --to: the waits between attempts (default: 5,300,1800,…)', waits)
    .option('--out <file>', 'with --to: put the secret there, for you alone to read, in place of printing it')

/** What only the other kind has: nobody should believe that it counts. */
export function requireKind(options: PushOptions & Readonly<Record<string, unknown>>): void {
  const isPush = options.to !== undefined
  const others = isPush
    ? {
        sourceBatch: '--source-batch',
        lease: '--lease',
        outstanding: '--outstanding',
        deliveries: '--deliveries',
        backoff: '--backoff',
      }
    : {
        header: '--header',
        concurrency: '--concurrency',
        rate: '--rate',
        timeout: '--timeout',
        body: '--body',
        batchMax: '--batch-max',
        retry: '--retry',
        out: '--out',
      }
  const [, wrong] = Object.entries(others).find(([name]) => options[name] !== undefined) ?? []
  if (wrong !== undefined)
    throw new UsageError(
      isPush ? `${wrong} is for workers that pull: leave it out, or --to` : `${wrong} needs --to`,
    )
  if (!isPush && options.onExhausted === 'stop')
    throw new UsageError('--on-exhausted stop needs --to: say skip or block')
}

/** What the options say of an endpoint. */
export const pushFields = (
  options: PushOptions & { readonly onExhausted?: PushOnExhausted },
): Omit<NewPushSubscription, 'topics'> => ({
  kind: 'push',
  url: options.to ?? '',
  headers: options.header,
  concurrency: options.concurrency,
  rate_per_s: options.rate,
  timeout_s: options.timeout,
  body: options.body,
  batch_max: options.batchMax,
  retry_s: options.retry,
  on_exhausted: options.onExhausted,
})

function header(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const lines = text.startsWith('@') ? linesOf(text.slice(1)) : [text]
  return { ...before, ...Object.fromEntries(lines.map(headerOf)) }
}

function headerOf(line: string): [name: string, value: string] {
  const [, name, value] = /^([^\s:]+):[ \t]*(.*\S)[ \t]*$/.exec(line) ?? []
  if (name !== undefined && value !== undefined) return [name, value]
  // Not with the line: its value may be a secret.
  throw new InvalidArgumentError("It must be a name and a value, such as 'Authorization: Bearer …'.")
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8')
      .split(/\r?\n/)
      .filter((line) => line.trim() !== '')
  } catch (error) {
    throw new InvalidArgumentError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`)
  }
}

function waits(text: string): readonly number[] {
  const seconds = text === '' ? [] : text.split(',').map(wholeNumber(1, max.retrySecondsMax))
  if (seconds.length <= max.retryStepsMax) return seconds
  throw new InvalidArgumentError(`It must be at most ${max.retryStepsMax} seconds, with commas between them.`)
}
