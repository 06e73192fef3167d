/**
 * Where a replay that broke off goes on. Each line is looked at, and a line may be 256 KiB: so nothing here reads a
 * payload, as long as the line looks as gateways write it. What looks otherwise is parsed: no order of keys is relied on.
 */
import type { EventsQuery } from '../answers.ts'
import { UnexpectedAnswer } from '../errors.ts'

/** A URL may not be longer than the gateway reads; a replay of too many topics has to be read page by page. */
const afterCharsMax = 8_000

/**
 * How far a replay has come: a seq, or for several topics a seq of each, `orders.eu:42,orders.us:7`. Before a seq stands its
 * epoch, if the event had one: `2.42`.
 */
export function createResume({ topic, after, order }: EventsQuery & { readonly topic: string }) {
  const isAscending = order !== 'desc'
  const isPattern = /[*>]/.test(topic)
  // A cursor that a page gave can be sent, but nothing can be added to it.
  const canResume = isAscending && (!isPattern || after === undefined)
  const places = new Map<string, number | string>()
  return {
    passed(line: string) {
      if (!canResume) return
      const { topic, seq, epoch } = read(line)
      places.set(topic, epoch === undefined ? seq : `${epoch}.${seq}`)
    },
    after(): number | string | undefined {
      if (!canResume) return undefined
      if (!isPattern) return places.get(topic)
      const pairs = [...places].map(([name, place]) => `${name}:${place}`).join(',')
      return pairs.length > afterCharsMax ? undefined : pairs
    },
  }
}

const topicFirst = /^\{"topic":"([^"\\]*)"/

/**
 * The members behind the payload, whose seq is among them, up to the end of the line: plain strings, numbers and the like.
 * A line with an epoch is parsed: only a log that was restored has any.
 * Behind the last `}` but one of a line that is JSON, this can only be members of the event itself: in a string the
 * first quote would end it, and the key would stand outside.
 */
const membersWithSeq =
  /^(?:,"(?!seq"|epoch")[^"\\]*":(?:"[^"\\]*"|[\w.+-]+))*,"seq":(\d+)(?:,"(?!seq"|epoch")[^"\\]*":(?:"[^"\\]*"|[\w.+-]+))*\}$/

interface Passed {
  readonly topic: string
  readonly seq: number
  readonly epoch?: number
}

function read(line: string): Passed {
  const topic = topicFirst.exec(line)?.[1]
  const payloadEnd = line.lastIndexOf('}', line.length - 2) + 1
  const seq = membersWithSeq.exec(line.slice(payloadEnd))?.[1]
  return topic === undefined || seq === undefined ? parse(line) : { topic, seq: Number(seq) }
}

function parse(line: string): Passed {
  try {
    const { topic, seq, epoch } = JSON.parse(line)
    if (typeof topic === 'string' && Number.isSafeInteger(seq)) return { topic, seq, epoch }
  } catch {
    // Said below, without the parser's words: they quote the line.
  }
  throw new UnexpectedAnswer('/events answered with a line that is no event')
}
