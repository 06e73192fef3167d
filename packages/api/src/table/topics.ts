import { defineRoute } from '../route.ts'
import { Topic } from '../schemas/text.ts'
import { NewTopicSettings, TopicSettings } from '../schemas/topic.ts'

const path = {
  topic: { schema: Topic, description: 'The name of the topic.', example: 'orders.eu.paid' },
} as const

const settings = {
  status: 200,
  mediaType: 'application/json',
  schema: TopicSettings,
  example: { topic: 'orders.eu.paid', same_content: 'json' },
} as const

export const readTopicSettings = defineRoute({
  id: 'readTopicSettings',
  method: 'GET',
  path: '/topics/:topic/settings',
  scope: 'read',
  tag: 'operate',
  summary: 'What was said about a topic',
  description: 'Also of a topic that there is not yet: what would hold for it.',
  request: { path },
  answers: [{ ...settings, description: 'What holds for the topic.' }],
  problems: ['unknown_topic', 'store_unavailable'],
})

export const setTopicSettings = defineRoute({
  id: 'setTopicSettings',
  method: 'PUT',
  path: '/topics/:topic/settings',
  scope: 'admin',
  tag: 'operate',
  summary: 'Say what holds for a topic',
  description:
    'From the next turn of a consumer on. What is stored, and what was counted as a conflict, stays as it is. The topic is made if there is none. A change is in the audit log.',
  request: {
    path,
    bodies: [{ mediaType: 'application/json', schema: NewTopicSettings, example: { same_content: 'json' } }],
  },
  answers: [{ ...settings, description: 'What holds for the topic now.' }],
  problems: [
    ...(['malformed_json', 'unsupported_encoding', 'unsupported_media_type', 'invalid_body'] as const),
    ...(['unknown_topic', 'topic_limit', 'topic_rate', 'client_limit'] as const),
    ...(['broker_unavailable', 'store_unavailable'] as const),
  ],
})
