/** What holds for a topic: routes to read and to say it. */
import { NewTopicSettings } from '@sekali/api/topic'
import { isTopicName, type TopicName } from '@sekali/core/event'
import type { Store } from '@sekali/store/connect'
import { readTopicSettings, setTopicSettings, type TopicSettings } from '@sekali/store/topic-settings'
import type { Context } from 'hono'
import { endedBearer } from '../access/bearer.ts'
import { byOf } from '../access/by.ts'
import { refusalOfTopic } from '../access/may.ts'
import { grantOf } from '../access/principals.ts'
import type { Clients } from '../clients/clients.ts'
import { parseBody } from '../http/parse-body.ts'
import { problem } from '../http/problem.ts'
import { reply, toResponse } from '../http/reply.ts'
import type { Handler } from '../http/router.ts'
import type { NewTopics } from '../publish/new-topics.ts'

export interface TopicSettingsDeps {
  readonly store: Store
  readonly newTopics: NewTopics
  readonly clients: Clients
  readonly random: () => number
}

/** GET /topics/{topic}/settings. */
export function showTopicSettings({ store }: Pick<TopicSettingsDeps, 'store'>): Handler {
  return async (c) => {
    const topic = allowedTopic(c)
    if (topic instanceof Response) return topic
    return shown(topic, await readTopicSettings(store, topic))
  }
}

/** PUT /topics/{topic}/settings. */
export function changeTopicSettings({ store, newTopics, clients, random }: TopicSettingsDeps): Handler {
  return async (c) => {
    const topic = allowedTopic(c)
    if (topic instanceof Response) return topic
    const request = c.env.incoming
    const body = parseBody(request, NewTopicSettings)
    if ('refused' in body) return toResponse(body.refused)
    // It counts among the topics that there may be.
    await newTopics.admit(clients.of(request), [{ topic }])
    const settings = { sameContent: body.value.same_content }
    const outcome = await setTopicSettings(store, topic, settings, byOf(request, clients))
    if (outcome === 'actor_ended') return toResponse(endedBearer())
    if (outcome === 'busy') return problem('store_unavailable', { detail: busy, random })
    return shown(topic, settings)
  }
}

const busy = 'A consumer has held the topic for longer than it should. Nothing is changed. Ask again.'

/** The topic of the path, if the key may see it; otherwise the answer. */
function allowedTopic(c: Context): TopicName | Response {
  const name = c.req.param('topic') ?? ''
  if (!isTopicName(name)) return problem('unknown_topic')
  const refused = refusalOfTopic(grantOf(c.env?.incoming), name)
  return refused === undefined ? (name as TopicName) : toResponse(refused)
}

const shown = (topic: TopicName, { sameContent }: TopicSettings): Response =>
  reply(200, JSON.stringify({ topic, same_content: sameContent }))
