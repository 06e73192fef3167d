import type { TailQuery } from '@sekali/client/answers'
import { tailText } from '@sekali/client/tail'
import type { Command } from 'commander'
import { beginning, wholeNumber } from '../arguments.ts'
import { action, type Context, required, type Surroundings } from '../context.ts'
import { endingOf } from '../exit.ts'
import { eventLine } from '../terminal/text.ts'

type Options = Omit<TailQuery, 'topic'> & { readonly count?: number }

export function addTail(program: Command, surroundings: Surroundings): void {
  program
    .command('tail')
    .summary('follow a topic or a pattern, live')
    .description(
      'Shows events as they are stored, until Ctrl-C. A connection that breaks is made again where it broke: nothing ' +
        'is missing and nothing comes twice.',
    )
    .argument('<topic>', "a topic, or a pattern such as 'orders.*' or 'orders.>'")
    .option('-f, --from <start>', 'where to begin: start, now, or after a seq (default: now)', beginning)
    .option('-c, --cursor <cursor>', 'where an earlier tail stopped; it said so')
    .option('-s, --source <name>', 'only events of this source')
    .option('-n, --count <n>', 'end after this many events', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .addHelpText(
      'after',
      `
Examples:
  $ sekali tail orders.eu.paid                      what comes from now on
  $ sekali tail orders.eu.paid --from start         all there is, and then what comes
  $ sekali tail 'orders.>' --json | jq -c 'select(.payload.total > 1000)'
`,
    )
    .action(action(surroundings, run))
}

const run = async (context: Context, [topic]: string[], { count, ...place }: Options) => {
  const { connection, json, out, report, signal, url } = context
  const onRetry: typeof context.options.onRetry = ({ retry, error }) => {
    if (retry === 1 && !json) report(`reconnecting: ${endingOf(error, url).message}`)
  }
  let cursor: string | undefined
  let left = count
  using _reader = out.watch()
  try {
    for await (const event of tailText(
      connection,
      { topic: required(topic), ...place },
      { signal, onRetry },
    )) {
      await out.line(json ? event.text : eventLine(event.text))
      cursor = event.cursor
      if (left !== undefined && --left === 0) break
    }
  } catch (error) {
    if (cursor !== undefined && !json && process.stderr.isTTY)
      report(`go on from here with --cursor ${cursor}`)
    throw error
  }
  return undefined
}
