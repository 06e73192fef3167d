import type { Broker } from '@sekali/broker/connect'
import { forgetName } from '@sekali/broker/names'
import { isTopicName, type TopicName } from '@sekali/core/event'
import type { Store } from '@sekali/store/connect'
import { dropTopic } from '@sekali/store/drop-topic'
import { byOf } from '../access/by.ts'
import { refusalOfTopic } from '../access/may.ts'
import { grantOf } from '../access/principals.ts'
import type { Clients } from '../clients/clients.ts'
import { problem } from '../http/problem.ts'
import { reply, toResponse } from '../http/reply.ts'
import type { Handler } from '../http/router.ts'
import type { NewTopics } from '../publish/new-topics.ts'

export interface DropTopicDeps {
  readonly broker: Broker
  readonly store: Store
  readonly newTopics: NewTopics
  readonly clients: Clients
}

/** DELETE /topics/{topic}: forget a topic that has no event, so that it does not count towards TOPICS_MAX. */
export function dropEmptyTopic({ broker, store, newTopics, clients }: DropTopicDeps): Handler {
  return async (c) => {
    const name = c.req.param('topic') ?? ''
    if (!isTopicName(name)) return problem('unknown_topic')
    const topic = name as TopicName
    const refused = refusalOfTopic(grantOf(c.env?.incoming), topic)
    if (refused !== undefined) return toResponse(refused)
    const by = byOf(c.env?.incoming, clients)
    const outcome = await dropTopic(store, topic, () => forgetName(broker, topic), by)
    if (outcome === 'in_use') return problem('topic_in_use')
    newTopics.forget(topic) // also when another gateway has dropped it
    if (outcome === 'unknown') return problem('unknown_topic')
    return reply(200, JSON.stringify({ status: 'dropped', topic }))
  }
}
