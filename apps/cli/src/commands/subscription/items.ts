/** What a pull brought, each event as the text in which it came: JSON.parse would round what is long. */
import { jsonOf } from '@sekali/client/connection'
import type { PulledItem } from '@sekali/client/job'
import type { Pulled } from '@sekali/client/pool'
import type { Answer } from '@sekali/client/request'
import { onOneLine } from '@sekali/core/event'
import { membersOf, membersOfEach } from '../members.ts'

export interface EventText {
  readonly topic: string
  readonly seq: number
  readonly event_id: string
  readonly source: string
  /** JSON on one line. */
  readonly text: string
}

export function readItems(answer: Answer): Pulled<EventText> {
  const { items, lease_s } = jsonOf<Pulled<EventText>>(answer, (value) => 'items' in value)
  const texts = membersOfEach(membersOf(answer.text).get('items') ?? '[]')
  return { lease_s, items: items.map((item, at) => withText(item, texts[at]?.get('event') ?? '')) }
}

const withText = ({ token, attempt, event }: PulledItem<EventText>, text: string) => {
  const { topic, seq, event_id, source } = event
  return { token, attempt, event: { topic, seq, event_id, source, text: onOneLine(text) } }
}
