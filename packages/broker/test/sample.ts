import type { Position } from '@sekali/core/position'
import { event } from '@sekali/testkit/sample'

/** An id later than those of all entries. */
export const far = '9999999999999-0' as Position

/** Events of a topic, each with an id of its own. */
export const many = (count: number, topic = 'orders') =>
  Array.from({ length: count }, (_, index) => event({ topic, eventId: `e${index}` }))

/** The event ids of entries as Redis gives them. */
export const idsOf = (entries: readonly [id: string, fields: string[]][]): (string | undefined)[] =>
  entries.flatMap(([, [, value]]) => value?.split('\0\0').map((text) => text.split('\0')[0]))
