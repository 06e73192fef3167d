import type { Command } from 'commander'
import { action, type Context, required, type Surroundings } from '../context.ts'
import { plain } from '../terminal/text.ts'
import { calls } from './calls.ts'

export function addTopic(program: Command, surroundings: Surroundings): void {
  const topic = program
    .command('topic')
    .summary('look after a topic')
    .description('Drops a topic that has no event.')
    .addHelpText(
      'after',
      `
Examples:
  $ sekali topic drop orders.misspelt
`,
    )
  topic
    .command('drop')
    .description(
      'Drops a topic that has no event, nothing in flight and no dead letter, so that it does not count among those there may be.',
    )
    .argument('<topic>')
    .addHelpText('after', calls('dropTopic'))
    .action(action(surroundings, drop))
}

const drop = async ({ client, options, json, out }: Context, [topic]: string[]) => {
  await client.dropTopic(required(topic), options)
  await out.line(json ? JSON.stringify({ topic, status: 'dropped' }) : `${plain(required(topic))} is dropped`)
  return undefined
}
