import { readTopicSettings, setTopicSettings, type TopicSettings } from '@sekali/client/topic-settings'
import { type Command, Option } from 'commander'
import { action, type Context, required, type Surroundings } from '../context.ts'
import { plain } from '../terminal/text.ts'
import { calls } from './calls.ts'

export function addTopic(program: Command, surroundings: Surroundings): void {
  const topic = program
    .command('topic')
    .summary('look after a topic')
    .description('Drops a topic that has no event, or says what holds for one.')
    .addHelpText(
      'after',
      `
Examples:
  $ sekali topic drop orders.misspelt
  $ sekali topic settings orders.eu.paid
  $ sekali topic settings orders.eu.paid --same-content json
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
  topic
    .command('settings')
    .summary('show or say what holds for a topic')
    .description(
      'Shows what holds for a topic, or changes it from the next turn of a consumer on. A topic is made if there is none. By `bytes` a repeat of an event id is a duplicate if its payload is the same text, by `json` if it means the same, whatever its spaces, escapes and order of keys; anything else is a conflict.',
    )
    .argument('<topic>')
    .addOption(
      new Option('--same-content <kind>', 'what counts as the same under one event id').choices([
        'bytes',
        'json',
      ]),
    )
    .addHelpText('after', calls('readTopicSettings', 'setTopicSettings'))
    .action(action(surroundings, settings))
}

const drop = async ({ client, options, json, out }: Context, [topic]: string[]) => {
  await client.dropTopic(required(topic), options)
  await out.line(json ? JSON.stringify({ topic, status: 'dropped' }) : `${plain(required(topic))} is dropped`)
  return undefined
}

interface SettingsOptions {
  readonly sameContent?: TopicSettings['same_content']
}

const settings = async (
  { connection, options, json, out }: Context,
  [given]: string[],
  { sameContent }: SettingsOptions,
) => {
  const topic = required(given)
  const found =
    sameContent === undefined
      ? await readTopicSettings(connection, topic, options)
      : await setTopicSettings(connection, topic, { same_content: sameContent }, options)
  const how = found.same_content === 'json' ? 'by what their JSON means' : 'byte for byte'
  await out.line(json ? JSON.stringify(found) : `${plain(topic)}: payloads of one id are compared ${how}`)
  return undefined
}
