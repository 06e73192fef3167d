import { isTopicName, type TopicName } from '@sekali/core/event'
import type { Store } from '@sekali/store/connect'
import { readTopicSize } from '@sekali/store/topic-size'
import { refusalOfTopic } from '../access/may.ts'
import { grantOf } from '../access/principals.ts'
import { problem } from '../http/problem.ts'
import { reply, toResponse } from '../http/reply.ts'
import type { Handler } from '../http/router.ts'

/** GET /topics/{topic}: how much there is of it. */
export function showTopic(store: Store): Handler {
  return async (c) => {
    const topic = c.req.param('topic') ?? ''
    if (!isTopicName(topic)) return problem('unknown_topic')
    const refused = refusalOfTopic(grantOf(c.env?.incoming), topic)
    if (refused !== undefined) return toResponse(refused)
    const size = await readTopicSize(store, topic as TopicName)
    if (size === undefined) return problem('unknown_topic')
    return reply(200, JSON.stringify({ topic, events: size.events, about_bytes: size.bytes }))
  }
}
