import type { TailQuery } from '@sekali/client/answers'
import { BrokenOff } from '@sekali/client/errors'
import { events, read } from '@sekali/client/read'
import { tailText } from '@sekali/client/tail'
import { LogRestored } from '@sekali/core/errors'
import { isPattern } from '@sekali/core/pattern'
import type { Command } from 'commander'
import { adviceOnRetry, isForGood } from '../advice.ts'
import { beginning, wholeNumber } from '../arguments.ts'
import { action, type Context, required, type Surroundings } from '../context.ts'
import { UsageError } from '../exit.ts'
import { eventLine } from '../terminal/text.ts'
import { calls } from './calls.ts'
import { noTopic } from './no-topic.ts'

interface Options extends Omit<TailQuery, 'topic' | 'from'> {
  readonly count?: number
  readonly from?: ReturnType<typeof beginning>
}

export function addTail(program: Command, surroundings: Surroundings): void {
  program
    .command('tail')
    .summary('follow a topic or a pattern, live')
    .description(
      'Shows events as they are stored, until Ctrl-C. A connection that breaks is made again where it broke: nothing ' +
        'is missing and nothing comes twice.',
    )
    .argument('<topic>', "a topic, or a pattern such as 'orders.*' or 'orders.>'")
    .option(
      '-f, --from <start>',
      'where to begin: start, now, after a seq (2.600 is seq 600 of epoch 2), or what was received since 1h ago (default: now)',
      beginning,
    )
    .option('-c, --cursor <cursor>', 'where an earlier tail stopped; it said so')
    .option('-s, --source <name>', 'only events of this source')
    .option('-n, --count <n>', 'end after this many events', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .addHelpText(
      'after',
      `
Examples:
  $ sekali tail orders.eu.paid                      what comes from now on
  $ sekali tail orders.eu.paid --from start         all there is, and then what comes
  $ sekali tail orders.eu.paid --from 10m           what came in the last ten minutes, and then what comes
  $ sekali tail 'orders.>' --json | jq -c 'select(.payload.total > 1000)'
`,
    )
    .addHelpText('after', calls('tailEvents'))
    .action(action(surroundings, run))
}

const run = async (context: Context, [operand]: string[], { count, from, ...place }: Options) => {
  const { connection, json, out, report, signal, url } = context
  const topic = required(operand)
  let hasSaid = false
  const onRetry: typeof context.options.onRetry = ({ retry, error }) => {
    if (isForGood(error)) throw error
    if (retry === 1) hasSaid = false
    // That a stream ended says nothing of why, and may be over at once: what the gateway answers then tells more.
    if (hasSaid || json || error instanceof BrokenOff) return
    hasSaid = true
    report(adviceOnRetry(error, url))
  }
  const begin = typeof from === 'object' ? await placeBefore(context, topic, from.time) : from
  const query = { topic, ...place, ...(begin !== undefined && { from: begin }) }
  let cursor: string | undefined
  let left = count
  using _reader = out.watch()
  using _hint = json ? undefined : hintNoTopic(context, topic)
  try {
    for await (const event of tailText(connection, query, { signal, onRetry })) {
      await out.line(json ? event.text : eventLine(event.text))
      cursor = event.cursor
      if (left !== undefined && --left === 0) break
    }
  } catch (error) {
    if (cursor !== undefined && !json && process.stderr.isTTY && !(error instanceof LogRestored))
      report(`go on from here with --cursor ${cursor}`)
    throw error
  }
  return undefined
}

/** The place behind which the events are that came at this time or later. */
async function placeBefore(
  context: Context,
  topic: string,
  time: string,
): Promise<number | `${number}.${number}`> {
  const { connection, options } = context
  if (isPattern(topic)) {
    throw new UsageError(
      'a pattern is followed from start, now or a cursor; replay takes a time: sekali replay PATTERN --from 1h',
    )
  }
  // The end first: what is stored between the two questions comes behind it.
  const [newest] = await events(connection, { topic, limit: 1 }, options)
  const query = { topic, from: time, by: 'received_at', order: 'asc', limit: 1 } as const
  for await (const { seq, epoch } of read(connection, query, options)) return placeOf(seq - 1, epoch)
  return placeOf(newest?.seq ?? 0, newest?.epoch)
}

const placeOf = (seq: number, epoch = 1): number | `${number}.${number}` =>
  epoch === 1 || seq === 0 ? seq : `${epoch}.${seq}`

/** Beside the tail, which it must not keep waiting: whoever misspelt the name would wait for ever. */
function hintNoTopic({ connection, signal, report }: Context, topic: string): Disposable {
  const end = new AbortController()
  const asking = { connection, signal: AbortSignal.any([signal, end.signal]) }
  void noTopic(asking, topic, ': waiting for its first event').then((hint) => {
    if (hint !== undefined && !end.signal.aborted) report(hint)
  })
  return { [Symbol.dispose]: () => end.abort() }
}
