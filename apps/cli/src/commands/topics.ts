import type { TopicFigures } from '@sekali/client/answers'
import { Unavailable } from '@sekali/client/errors'
import type { Command } from 'commander'
import { action, type Context, type Surroundings } from '../context.ts'
import { number, plain, table } from '../terminal/text.ts'
import { calls } from './calls.ts'
import { reportNoTopic } from './no-topic.ts'

export function addTopics(program: Command, surroundings: Surroundings): void {
  program
    .command('topics')
    .summary('list the topics')
    .argument('[topic]', 'only this one, or those of a pattern')
    .description('Lists the topics with the seq of their last event and what is in flight.')
    .addHelpText(
      'after',
      `
Examples:
  $ sekali topics
  $ sekali topics 'orders.>'
  $ sekali topics --json | jq -r .topic
`,
    )
    .addHelpText('after', calls('readStats'))
    .action(action(surroundings, run))
}

const run = async (context: Context, [topic]: string[]) => {
  const { client, options } = context
  const { topics } = await client.stats({ ...options, ...(topic !== undefined && { topic }) })
  if (topics === null) {
    throw new Unavailable('neither server answers', { status: 503, code: 'store_unavailable' }, undefined)
  }
  if (context.json) for (const topic of topics) await context.out.line(JSON.stringify(topic))
  else for (const line of linesOf(topics)) await context.out.line(line)
  if (!context.json && topic !== undefined && topics.length === 0) await reportNoTopic(context, topic)
  return undefined
}

/** The epoch where a log has more than one. */
function linesOf(topics: readonly TopicFigures[]): string[] {
  const isForked = topics.some(({ epoch }) => epoch !== undefined)
  const row = ({ topic, stored, in_flight, epoch = 1 }: TopicFigures) => [
    ...[plain(topic), number(stored), number(in_flight)],
    ...(isForked ? [number(epoch)] : []),
  ]
  return table(['topic', 'events', 'in flight', ...(isForked ? ['epoch'] : [])], topics.map(row))
}
