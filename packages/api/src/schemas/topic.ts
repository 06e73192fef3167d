import * as v from 'valibot'
import { Topic } from './text.ts'

const sameContents = ['bytes', 'json'] as const

const SameContent = v.pipe(
  v.picklist(sameContents, `must be ${sameContents.join(' or ')}`),
  v.description(
    'What makes a repeat of an event id a duplicate and no conflict, beside the source: `bytes`, payloads of the same text; `json`, payloads that mean the same, with keys, spaces and escapes written in any way and numbers compared to the last digit.',
  ),
)

/** What `PUT /topics/{topic}/settings` takes. */
export const NewTopicSettings = v.strictObject({ same_content: SameContent }, 'must be a JSON object')

export const TopicSettings = v.object({ topic: Topic, same_content: SameContent })
